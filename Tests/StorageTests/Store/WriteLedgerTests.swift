import Testing

@testable import Storage

struct WriteLedgerTests {
    private let start = ContinuousClock.now

    @Test func `a failed write is trouble until one is stored`() {
        let ledger = WriteLedger()
        ledger.failed(ledger.begin(), "is read-only")
        #expect(ledger.trouble() == "is read-only")
        ledger.stored(ledger.begin())
        #expect(ledger.trouble() == nil)
    }

    @Test func `a write that waits is trouble before it fails, and no longer once it is stored`() {
        let ledger = WriteLedger()
        let entry = ledger.begin(now: start)
        #expect(ledger.trouble(now: start + .seconds(1)) == nil)
        #expect(ledger.trouble(now: start + .seconds(3)) == "a change waits for more than 2 s")
        ledger.stored(entry)
        #expect(ledger.trouble(now: start + .seconds(3)) == nil)
    }

    @Test func `a conflict neither makes trouble nor ends it`() {
        let ledger = WriteLedger()
        ledger.failed(ledger.begin(), nil)
        #expect(ledger.trouble() == nil)
        ledger.failed(ledger.begin(), "is read-only")
        ledger.failed(ledger.begin(), nil)
        #expect(ledger.trouble() == "is read-only")
    }
}
