import Storage
import Synchronization
import Testing

@testable import Control

@Suite struct AccessTests {
    private func key(_ token: String, _ role: Role = .viewer, expires: Int64? = nil) -> APIKey {
        APIKey(name: token, role: role, hash: Token.hash(token), created: 0, expires: expires)
    }

    @Test func `a token opens what its key may, from the environment and from the database`() {
        let access = Access(fixed: [key("e", .admin)], now: { 0 })
        access.replaceStored([key("a"), key("b", .operator)])
        #expect(access.key(of: "e")?.role == .admin)
        #expect(access.key(of: "a")?.role == .viewer)
        #expect(access.key(of: "b")?.role == .operator)
        #expect(access.key(of: "c") == nil && access.key(of: "") == nil && access.key(of: "e ") == nil)
    }

    @Test func `a key ends at its time, not after it`() {
        #expect(Access(fixed: [key("a", expires: 1000)], now: { 999 }).key(of: "a") != nil)
        #expect(Access(fixed: [key("a", expires: 1000)], now: { 1000 }).key(of: "a") == nil)
    }

    @Test func `a key that the database no longer has is refused, one of the environment stays`() {
        let access = Access(fixed: [key("e")], now: { 0 })
        access.replaceStored([key("a")])
        access.replaceStored([])
        #expect(access.key(of: "a") == nil && access.key(of: "e") != nil)
    }

    @Test func `uses of the database's keys are handed out once, and newer ones win over those put back`() {
        let time = Mutex<Int64>(5)
        let access = Access(fixed: [key("e")], now: { time.withLock { $0 } })
        access.replaceStored([key("a"), key("b"), key("c")])
        for token in ["a", "b", "e", "unknown"] { _ = access.key(of: token) }
        #expect(access.lastUse(ofHash: Token.hash("a")) == 5)
        let uses = access.takeUses()
        #expect(uses == [Token.hash("a"): 5, Token.hash("b"): 5])
        #expect(access.takeUses() == [:])
        time.withLock { $0 = 9 }
        _ = access.key(of: "a")
        access.putBack(uses)
        #expect(access.takeUses() == [Token.hash("a"): 9, Token.hash("b"): 5])
    }

    @Test func `bad tokens are slowed by address after 200, and allowed again at 20 a second`() {
        let limit = FailureLimit()
        let first = (0..<300).count { _ in limit.allowsFailure(from: "192.0.2.1", now: 0) }
        #expect(first == 200)
        #expect(limit.allowsFailure(from: "192.0.2.2", now: 0))
        #expect((0..<100).count { _ in limit.allowsFailure(from: "192.0.2.1", now: 1000) } == 20)
        #expect(!limit.allowsFailure(from: "192.0.2.1", now: 500), "a clock set back gives nothing")
    }

    @Test func `the table of addresses is bounded`() {
        let limit = FailureLimit()
        for address in 0..<20_000 { #expect(limit.allowsFailure(from: "\(address)", now: 0)) }
        #expect(limit.addresses <= 4096)
    }
}
