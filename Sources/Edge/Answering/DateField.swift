import Glibc

/// The value of the `Date` field, formatted once a second (RFC 9110 §5.6.7).
struct DateField {
    private var second = Int.min
    private(set) var bytes: [UInt8] = []

    /// - Parameter now: seconds since 1970, UTC; also right after the clock was set back.
    mutating func refresh(now: Int) {
        guard now != second else { return }
        second = now
        bytes.removeAll(keepingCapacity: true)
        DateField.append(now, to: &bytes)
    }

    /// The wall clock in seconds; coarse, because a second is all the field shows.
    static func now() -> Int {
        var time = timespec()
        // The pointer is to a local and used for the call alone.
        unsafe clock_gettime(CLOCK_REALTIME_COARSE, &time)
        return time.tv_sec
    }

    /// IMF-fixdate: `Sun, 06 Nov 1994 08:49:37 GMT`.
    static func format(_ second: Int) -> String {
        var bytes: [UInt8] = []
        append(second, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// RFC 3339: `1994-11-06T08:49:37Z`.
    static func appendISO8601(_ second: Int, to bytes: inout [UInt8]) {
        let day = Int((Double(second) / 86400).rounded(.down))
        let (year, month, date) = civil(day)
        append(year, digits: 4, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        append(month, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        append(date, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: "T"))
        appendClock(second - day * 86400, to: &bytes)
        bytes.append(UInt8(ascii: "Z"))
    }

    /// `08:49:37`, of the seconds since midnight.
    private static func appendClock(_ time: Int, to bytes: inout [UInt8]) {
        append(time / 3600, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        append(time / 60 % 60, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        append(time % 60, digits: 2, to: &bytes)
    }

    private static let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// Appends without a detour over strings: it runs on the fast path, which allocates nothing.
    private static func append(_ second: Int, to bytes: inout [UInt8]) {
        let day = Int((Double(second) / 86400).rounded(.down))
        let (year, month, date) = civil(day)
        bytes += weekdays[((day % 7) + 7) % 7].utf8
        bytes += ", ".utf8
        append(date, digits: 2, to: &bytes)
        bytes.append(.space)
        bytes += months[month - 1].utf8
        bytes.append(.space)
        append(year, digits: 4, to: &bytes)
        bytes.append(.space)
        appendClock(second - day * 86400, to: &bytes)
        bytes += " GMT".utf8
    }

    /// Appends the last `digits` decimal digits of a number that is not negative.
    private static func append(_ number: Int, digits: Int, to bytes: inout [UInt8]) {
        var power = 1
        for _ in 1..<digits { power *= 10 }
        while power > 0 {
            bytes.append(0x30 &+ UInt8(truncatingIfNeeded: number / power % 10))
            power /= 10
        }
    }

    /// Days since 1970-01-01 to a date of the Gregorian calendar: eras of 400 years that begin on 1 March.
    private static func civil(_ day: Int) -> (year: Int, month: Int, date: Int) {
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}
