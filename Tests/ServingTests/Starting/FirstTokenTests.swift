import Foundation
import Storage
import Testing

@testable import Serving

struct FirstTokenTests {
    private let scratch: ScratchStore

    init() throws { scratch = try ScratchStore() }

    private var first: FirstToken { FirstToken(path: scratch.folder + "/token", store: scratch.store, logger: Sample.logger) }

    private var isWritten: Bool { FileManager.default.fileExists(atPath: scratch.folder + "/token") }

    // Regression: a token was made, and logged as made, by a start that was then refused.
    @Test func `asking whether there is a token makes none`() async throws {
        #expect(try await !first.isConfigured())
        #expect(try await scratch.store.keys().isEmpty && !isWritten)
    }

    @Test func `the first start makes one, the next none, and the operator has none by that`() async throws {
        #expect(try await first.make(now: 0))
        #expect(try await !first.make(now: 0))
        #expect(try await !first.isConfigured())
        #expect(try await scratch.store.keys().map(\.name) == [FirstToken.name] && isWritten)
    }

    @Test func `a key that somebody made is configured`() async throws {
        try await scratch.store.addKey(APIKey(name: "ann", role: .admin, hash: Token.hash("x"), created: 0, expires: nil))
        #expect(try await first.isConfigured())
        #expect(try await !first.make(now: 0))
        #expect(!isWritten)
    }
}
