/// Hours of some days of the week, as clocks at a place show them.
public struct WeeklyHours: Sendable, Equatable {
    /// 0 is Monday.
    public internal(set) var days: Set<Int>
    /// Minutes since midnight, 0…1439.
    public internal(set) var from: Int
    /// Minutes since midnight, 0…1440. Not after `from`: the hours end on the next day, and belong to the day they begin on.
    public internal(set) var to: Int
    public internal(set) var zone: Zone

    /// Whose clocks are meant.
    public enum Zone: Sendable, Equatable {
        /// Minutes east of UTC, the whole year.
        case fixed(Int)
        /// The clocks of an IANA time zone, summer time included.
        case named(String)

        /// Nil when the zone is not known.
        func offsets(_ zones: TimeZones) -> TimeZones.Offsets? {
            switch self {
            case .fixed(let minutes): TimeZones.Offsets(before: minutes)
            case .named(let name): zones[name]
            }
        }
    }

    static let dayNames = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

    /// An hour that clocks skip is in no hours, one that they show twice is so twice.
    ///
    /// - Parameters:
    ///   - second: since 1970-01-01 UTC, a Thursday.
    ///   - offsets: of `zone`.
    func contains(second: Int, _ offsets: TimeZones.Offsets) -> Bool {
        let minutes = (second / 60).addingReportingOverflow(offsets.minutes(at: second)).partialValue
        let minute = minutes.modulo(1440)
        let day = ((minutes - minute) / 1440 % 7 + 3).modulo(7)
        if from < to { return days.contains(day) && (from..<to).contains(minute) }
        return minute >= from ? days.contains(day) : minute < to && days.contains((day + 6) % 7)
    }

    /// Minutes of `HH:MM`; `24:00` is the end of a day.
    static func minutes(_ text: some StringProtocol) -> Int? {
        let bytes = Array(text.utf8)
        guard bytes.count == 5, bytes[2] == UInt8(ascii: ":") else { return nil }
        let digits = [0, 1, 3, 4].map { Int(bytes[$0]) - 0x30 }
        guard digits.allSatisfy({ (0...9).contains($0) }), digits[2] < 6 else { return nil }
        let minutes = (digits[0] * 10 + digits[1]) * 60 + digits[2] * 10 + digits[3]
        return minutes <= 1440 ? minutes : nil
    }

    static func text(_ minutes: Int) -> String {
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(two(minutes / 60)):\(two(minutes % 60))"
    }
}

extension Int {
    fileprivate func modulo(_ divisor: Int) -> Int {
        let rest = self % divisor
        return rest < 0 ? rest + divisor : rest
    }
}
