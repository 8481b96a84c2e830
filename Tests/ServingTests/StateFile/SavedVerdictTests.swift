import Probing
import Storage
import Testing

@testable import Serving

@Suite struct SavedVerdictTests {
    private let known = Remembered(.cdn("a"), reason: "connection refused", hasBeenGood: true, age: .seconds(5))

    @Test func `what a prober remembers grows older from one process to the next`() {
        let saved = SavedVerdict(known, now: 1_800_000_000_000)
        let read = saved.remembered(now: 1_800_000_010_000)
        #expect(read == Remembered(.cdn("a"), reason: "connection refused", hasBeenGood: true, age: .seconds(15)))
        #expect(saved.remembered(now: 1_700_000_000_000)?.age == .zero, "a clock that was set back")
    }

    @Test func `foreign numbers and kinds do no harm`() {
        for judged in [Int.min, Int.max] {
            _ = SavedVerdict(kind: "cdn", name: "a", reason: "", hasBeenGood: true, judged: judged).remembered(now: 1_800_000_000_000)
        }
        #expect(SavedVerdict(kind: "disk", name: "a", reason: "", hasBeenGood: true, judged: 0).remembered(now: 0) == nil)
    }
}
