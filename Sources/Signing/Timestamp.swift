import Steering

/// A time of RFC 3339 in UTC: `2026-12-01T03:00:00Z`.
enum Timestamp {
    /// Seconds since 1970-01-01 UTC; nil for another text.
    static func second(_ text: borrowing Span<UInt8>, _ range: Range<Int>) -> Int? {
        let pattern: StaticString = "0000-00-00T00:00:00Z"
        guard range.count == pattern.utf8CodeUnitCount else { return nil }
        var fields = InlineArray<6, Int>(repeating: 0)
        var field = 0
        for offset in 0..<range.count {
            let byte = text[range.lowerBound + offset]
            let isDigit = [0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18].contains(offset)
            if isDigit {
                guard (0x30...0x39).contains(byte) else { return nil }
                fields[field] = fields[field] * 10 + Int(byte - 0x30)
            } else {
                let wanted: UInt8 =
                    switch offset {
                    case 4, 7: UInt8(ascii: "-")
                    case 10: UInt8(ascii: "T")
                    case 13, 16: UInt8(ascii: ":")
                    default: UInt8(ascii: "Z")
                    }
                guard byte == wanted else { return nil }
                field += 1
            }
        }
        let (year, month, day) = (fields[0], fields[1], fields[2])
        let (hour, minute, second) = (fields[3], fields[4], fields[5])
        guard year >= 1970, (1...12).contains(month), (1...days(month, year)).contains(day), hour < 24, minute < 60, second < 60 else {
            return nil
        }
        return daysSince1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second
    }

    private static func days(_ month: Int, _ year: Int) -> Int {
        if month == 2 { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28 }
        return [4, 6, 9, 11].contains(month) ? 30 : 31
    }

    /// Days of the Gregorian calendar, in eras of 400 years that begin on 1 March.
    private static func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let era = year / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
