import Testing

@testable import Steering

@Suite struct WeeklyHoursTests {
    /// Monday 2026-11-23 00:00 UTC.
    private let monday = 1_795_392_000

    private func contains(_ hours: WeeklyHours, day: Int, _ hour: Int, _ minute: Int = 0) -> Bool {
        hours.contains(second: monday + day * 86_400 + hour * 3600 + minute * 60)
    }

    @Test func `hours hold on their days from the first minute to before the last`() {
        let hours = WeeklyHours(days: [0, 4], from: 18 * 60, to: 20 * 60, offset: 0)
        #expect(contains(hours, day: 0, 18) && contains(hours, day: 4, 19, 59))
        #expect(!contains(hours, day: 0, 17, 59) && !contains(hours, day: 0, 20) && !contains(hours, day: 1, 19))
    }

    @Test func `hours past midnight belong to the day they begin on`() {
        let hours = WeeklyHours(days: [6], from: 22 * 60, to: 2 * 60, offset: 0)
        #expect(contains(hours, day: 6, 23) && contains(hours, day: 7, 1, 59))
        #expect(!contains(hours, day: 6, 1) && !contains(hours, day: 7, 2) && !contains(hours, day: 7, 23))
    }

    @Test func `an offset shifts the day too`() {
        let hours = WeeklyHours(days: [0], from: 0, to: 60, offset: 180)
        #expect(contains(hours, day: -1, 21) && !contains(hours, day: 0, 0))
    }

    @Test func `no second traps`() {
        let hours = WeeklyHours(days: [0], from: 5, to: 5, offset: 840)
        for second in [Int.min, Int.max, -1, 0] { _ = hours.contains(second: second) }
    }
}
