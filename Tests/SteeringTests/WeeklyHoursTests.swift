import Testing

@testable import Steering

@Suite struct WeeklyHoursTests {
    /// Monday 2026-11-23 00:00 UTC.
    private let monday = 1_795_392_000

    private func offsets(_ hours: WeeklyHours) -> TimeZones.Offsets {
        guard case .fixed(let minutes) = hours.zone else { return .init(before: 0) }
        return .init(before: minutes)
    }

    private func contains(_ hours: WeeklyHours, day: Int, _ hour: Int, _ minute: Int = 0) -> Bool {
        hours.contains(second: monday + day * 86_400 + hour * 3600 + minute * 60, offsets(hours))
    }

    @Test func `hours hold on their days from the first minute to before the last`() {
        let hours = WeeklyHours(days: [0, 4], from: 18 * 60, to: 20 * 60, zone: .fixed(0))
        #expect(contains(hours, day: 0, 18) && contains(hours, day: 4, 19, 59))
        #expect(!contains(hours, day: 0, 17, 59) && !contains(hours, day: 0, 20) && !contains(hours, day: 1, 19))
    }

    @Test func `hours past midnight belong to the day they begin on`() {
        let hours = WeeklyHours(days: [6], from: 22 * 60, to: 2 * 60, zone: .fixed(0))
        #expect(contains(hours, day: 6, 23) && contains(hours, day: 7, 1, 59))
        #expect(!contains(hours, day: 6, 1) && !contains(hours, day: 7, 2) && !contains(hours, day: 7, 23))
    }

    @Test func `an offset shifts the day too`() {
        let hours = WeeklyHours(days: [0], from: 0, to: 60, zone: .fixed(180))
        #expect(contains(hours, day: -1, 21) && !contains(hours, day: 0, 0))
    }

    @Test func `an offset holds from its second on, the first before all`() {
        let changes = [(10, 60), (20, 120), (30, 0)].map { TimeZones.Change(second: $0.0, minutes: $0.1) }
        let offsets = TimeZones.Offsets(before: -5, changes: changes)
        let expected = [(Int.min, -5), (9, -5), (10, 60), (19, 60), (20, 120), (29, 120), (30, 0), (Int.max, 0)]
        for (second, minutes) in expected { #expect(offsets.minutes(at: second) == minutes, "\(second)") }
    }

    @Test(
        arguments: [
            (#"{"timeZone": "Europe/Berlin"}"#, nil), (#"{"timeZone": "America/Argentina/Buenos_Aires"}"#, nil),
            (#"{"timeZone": "UTC"}"#, nil),
            (#"{"timeZone": "Etc/GMT+5"}"#, nil), (#"{"timeZone": "Foo/Bar"}"#, nil), (#"{"timeZone": ""}"#, "timeZone"),
            (#"{"timeZone": "CET"}"#, "timeZone"), (#"{"timeZone": "GMT+3"}"#, "timeZone"), (#"{"timeZone": "Europe/"}"#, "timeZone"),
            (#"{"timeZone": "/Berlin"}"#, "timeZone"), (#"{"timeZone": "Europe//Berlin"}"#, "timeZone"),
            (#"{"timeZone": "../../etc/passwd"}"#, "timeZone"), (#"{"timeZone": " Europe/Berlin"}"#, "timeZone"),
            (#"{"timeZone": "Europe/Berlin\u0000"}"#, "timeZone"), (#"{"timeZone": "Europe/Bérlin"}"#, "timeZone"),
            (#"{"timeZone": 1}"#, "timeZone"), (#"{"timeZone": null}"#, "timeZone"),
            (#"{"timeZone": "Europe/\#(String(repeating: "x", count: 58))"}"#, "timeZone"),
            (#"{"timeZone": "Europe/Berlin", "utcOffset": "+01:00"}"#, "utcOffset"),
        ] as [(String, String?)])
    func `a zone is Area/Location or UTC, and stands alone`(hours: String, fault: String?) throws {
        let rules = try Document(json: #"[{"name": "r", "when": {"hours": \#(hours)}, "every": 1}]"#)
        let faults = Catalog.faultPointers(try Example.document().setting("/rules", rules))
        #expect(faults == (fault.map { ["/rules/0/when/hours/\($0)"] } ?? []))
    }

    @Test func `no second traps`() {
        let hours = WeeklyHours(days: [0], from: 5, to: 5, zone: .fixed(840))
        let seconds = [Int.min, Int.max, -1, 0, 4 * 86_400].filter { hours.contains(second: $0, offsets(hours)) }
        #expect(!seconds.contains(0) && seconds.contains(4 * 86_400), "the first day was a Thursday")
    }
}
