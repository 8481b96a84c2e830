import Foundation
import Storage
import Testing

@testable import Serving

struct FirstTokenTests {
    private let scratch: ScratchStore

    init() throws { scratch = try ScratchStore() }

    private func ensure(mayMake: Bool) async throws -> Bool {
        try await FirstToken(path: scratch.folder + "/token", store: scratch.store, logger: Sample.logger).ensure(
            isTokenInEnvironment: false, mayMake: mayMake, now: 0)
    }

    private var isWritten: Bool { FileManager.default.fileExists(atPath: scratch.folder + "/token") }

    // Regression: a token was made, and logged as made, by a start that was then refused.
    @Test func `a start that is about to be refused makes no token`() async throws {
        #expect(try await ensure(mayMake: false) == false)
        #expect(try await scratch.store.keys().isEmpty && !isWritten)
    }

    @Test func `the first start makes one, the next none`() async throws {
        for _ in 0..<2 { #expect(try await ensure(mayMake: true) == false) }
        #expect(try await scratch.store.keys().map(\.name) == [FirstToken.name] && isWritten)
    }

    @Test func `a key that somebody made is configured`() async throws {
        try await scratch.store.addKey(APIKey(name: "ann", role: .admin, hash: Token.hash("x"), created: 0, expires: nil))
        #expect(try await ensure(mayMake: true))
        #expect(!isWritten)
    }
}
