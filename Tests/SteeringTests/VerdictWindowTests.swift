import Steering
import Testing

@Suite struct VerdictWindowTests {
    private func states(_ verdicts: String, rise: Int, fall: Int) -> String {
        var window = VerdictWindow()
        return verdicts.map { verdict in
            _ = window.record(verdict == "+", rise: rise, fall: fall)
            return window.isUp ? "U" : "d"
        }.joined()
    }

    @Test func `a target goes down with its fall-th failure in a row and comes back with its rise-th success`() {
        #expect(states("+--+---+-++", rise: 2, fall: 3) == "UUUUUUdddd" + "U")
        #expect(states("-", rise: 1, fall: 1) == "d")
        #expect(states("---", rise: 1, fall: 3) == "UUd")
        #expect(states("-+-+-+-+-+", rise: 2, fall: 2) == "UUUUUUUUUU")
        #expect(states("--+-+-+-+-", rise: 2, fall: 2) == "Uddddddddd")
    }

    @Test func `the widest window works to its last bit`() {
        var window = VerdictWindow()
        for number in 1...64 { #expect(window.record(false, rise: 64, fall: 64) == (number == 64)) }
        for number in 1...64 { #expect(window.record(true, rise: 64, fall: 64) == (number == 64)) }
        #expect(window.count == 64 && window.bits == .max)
    }

    @Test func `the window keeps the newest 64 verdicts`() {
        var window = VerdictWindow()
        for number in 0..<100 { _ = window.record(number % 3 == 0, rise: 2, fall: 3) }
        #expect(window.verdicts == (36..<100).reversed().map { $0 % 3 == 0 })
    }

    @Test func `the state changes at most once in rise or fall probes, whatever comes`() {
        var random = SplitMix64(for: "verdicts of a flapping target")
        for _ in 0..<200 {
            let (rise, fall) = (random.number(1...8), random.number(1...8))
            var window = VerdictWindow()
            var since = 0
            for _ in 0..<500 {
                since += 1
                guard window.record(random.chance(50), rise: rise, fall: fall) else { continue }
                #expect(since >= (window.isUp ? rise : fall))
                since = 0
            }
        }
    }
}
