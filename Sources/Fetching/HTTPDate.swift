/// A time as HTTP has it (RFC 9110 §5.6.7).
enum HTTPDate {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// Seconds since 1970 of an IMF-fixdate, which everybody writes: `Sun, 06 Nov 1994 08:49:37 GMT`; nil for anything else.
    static func seconds(_ text: some StringProtocol) -> Int? {
        let parts = text.split { " :,".contains($0) }
        guard parts.count == 8, parts[7] == "GMT", let month = months.firstIndex(of: String(parts[2])) else { return nil }
        let numbers = [1, 3, 4, 5, 6].compactMap { UInt16(parts[$0]).map(Int.init) }
        guard numbers.count == 5, (1...31).contains(numbers[0]), (1...9999).contains(numbers[1]) else { return nil }
        guard numbers[2] < 24, numbers[3] < 60, numbers[4] <= 60 else { return nil }
        return days(numbers[1], month + 1, numbers[0]) * 86_400 + numbers[2] * 3600 + numbers[3] * 60 + numbers[4]
    }

    /// Days since 1970 in the Gregorian calendar, with years that begin in March.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let year = month > 2 ? year : year - 1
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return year * 365 + year / 4 - year / 100 + year / 400 + dayOfYear - 719_468
    }
}
