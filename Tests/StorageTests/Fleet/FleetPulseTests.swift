import Testing

@testable import Storage

@Suite struct FleetPulseTests {
    private static let leaps: [Int64] = [0, -3600, 3600, -86_400, 86_400, -3 * 365 * 86_400, 3 * 365 * 86_400]
    private static let start: Int64 = 1_700_000_000_000

    /// Looks every second for so long, while the nodes named write every twelve.
    private func look(
        _ pulse: FleetPulse, seconds: ClosedRange<Int64>, writing: [String: Int64], dead: [String: Int64] = [:], wall: Int64 = 0
    )
        -> [Set<String>]
    {
        seconds.map { second in
            let now = FleetPulseTests.start + second * 1000
            let seen = writing.mapValues { now / 12_000 * 12_000 + $0 * 1000 }.merging(dead) { $1 }
            return Set(pulse.observe(seen, now: now + wall * 1000, uptime: .seconds(second)).keys)
        }
    }

    @Test(arguments: FleetPulseTests.leaps) func `a node whose clock is wrong is not silent while it writes`(leap: Int64) {
        let silent = look(FleetPulse(), seconds: 0...300, writing: ["a": 0, "b": leap])
        // Until it has written once more nothing is known of it but its clock.
        #expect(silent.dropFirst(13).allSatisfy { $0.isEmpty })
    }

    @Test(arguments: FleetPulseTests.leaps) func `a node whose own clock is set takes nobody for silent`(leap: Int64) {
        let pulse = FleetPulse()
        #expect(look(pulse, seconds: 0...100, writing: ["a": 0, "b": 0]).allSatisfy { $0.isEmpty })
        #expect(look(pulse, seconds: 101...200, writing: ["a": 0, "b": 0], wall: leap).allSatisfy { $0.isEmpty })
    }

    @Test(arguments: FleetPulseTests.leaps) func `a node that stops writing is silent after a minute, whatever its clock was`(leap: Int64) {
        let pulse = FleetPulse()
        _ = look(pulse, seconds: 0...100, writing: ["a": 0, "b": leap])
        let last = FleetPulseTests.start + 96_000 + leap * 1000
        let silent = look(pulse, seconds: 101...300, writing: ["a": 0], dead: ["b": last])
        #expect(silent.prefix(50).allSatisfy { $0.isEmpty })
        #expect(silent.dropFirst(61).allSatisfy { $0 == ["b"] })
    }

    @Test func `rows of nodes that died long ago do not count at a start`() {
        let silent = look(
            FleetPulse(), seconds: 0...100, writing: ["a": 0], dead: ["b": FleetPulseTests.start - 61_000, "c": 0])
        #expect(silent.allSatisfy { $0 == ["b", "c"] })
    }

    @Test func `a database that was away for long leaves nobody silent`() {
        let pulse = FleetPulse()
        let seen = ["a": FleetPulseTests.start, "b": FleetPulseTests.start]
        #expect(pulse.observe(seen, now: FleetPulseTests.start, uptime: .zero).isEmpty)
        #expect(pulse.observe(seen, now: FleetPulseTests.start + 3_600_000, uptime: .seconds(3600)).isEmpty)
    }
}

@Suite struct BelievedTimeTests {
    @Test(arguments: [2, 365, 10 * 365] as [Int64]) func `a leap forward of days and years is believed after a day, and no earlier`(
        days: Int64
    ) {
        var time = BelievedTime()
        let start: Int64 = 1_700_000_000
        #expect(time.now(wall: start, uptime: .zero, history: nil) == start)
        let leap = days * 86_400
        for hour in 1...24 as ClosedRange<Int64> {
            #expect(time.now(wall: start + leap + hour * 3600, uptime: .seconds(hour * 3600), history: nil) == start + hour * 3600)
        }
        #expect(time.now(wall: start + leap + 25 * 3600, uptime: .seconds(25 * 3600), history: nil) == start + leap + 25 * 3600)
    }

    @Test func `a clock that is years ahead of the history at the start is not believed either`() {
        var time = BelievedTime()
        #expect(time.now(wall: 2_000_000_000, uptime: .zero, history: 1_700_000_000) == 1_700_000_000)
    }

    @Test(arguments: [-3600, -86_400, -10 * 365 * 86_400, 3600] as [Int64])
    func `a clock that is set back, or a little forward, is believed`(
        leap: Int64
    ) {
        var time = BelievedTime()
        _ = time.now(wall: 1_700_000_000, uptime: .zero, history: nil)
        #expect(time.now(wall: 1_700_000_060 + leap, uptime: .seconds(60), history: nil) == 1_700_000_060 + leap)
    }

    @Test func `a wrong leap that was set right leaves no trace`() {
        var time = BelievedTime()
        _ = time.now(wall: 1_700_000_000, uptime: .zero, history: nil)
        _ = time.now(wall: 2_000_000_000, uptime: .seconds(3600), history: nil)
        #expect(time.now(wall: 1_700_007_200, uptime: .seconds(7200), history: nil) == 1_700_007_200)
    }
}
