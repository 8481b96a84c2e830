import Foundation
import Steering
import Synchronization
import Testing

@testable import Signing

@Suite struct SignatureTableTests {
    private func key(_ number: Int, _ table: SignatureTable) -> SignatureWork.Key {
        table.key(of: Array("text \(number)".utf8).span, signer: 1)
    }

    private func signature(_ number: Int) throws -> Signature {
        try #require(Signature((0..<256).map { UInt8(truncatingIfNeeded: number &* 31 &+ $0 &* (number | 1)) }))
    }

    private func bytes(_ signature: Signature) -> [UInt8] { (0..<signature.count).map { signature[$0] } }

    @Test func `what is kept is read again, and nothing else is`() throws {
        let table = SignatureTable(capacity: 64)
        for length in [1, 7, 8, 64, 71, 255, 256] {
            let content = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ length) }
            let key = table.key(of: content.span, signer: 7)
            #expect(table.signature(key) == nil)
            table.keep(try #require(Signature(content)), key)
            #expect(table.contains(key))
            #expect(table.signature(key).map(bytes) == content)
            #expect(!table.contains(table.key(of: content.span, signer: 8)))
        }
        #expect(Signature([]) == nil)
        #expect(Signature([UInt8](repeating: 0, count: 257)) == nil)
    }

    @Test func `a film that is watched stays, however many others are asked for once`() throws {
        let table = SignatureTable(capacity: 256)
        let watched = (0..<10).map { key($0, table) }
        for (number, key) in watched.enumerated() { table.keep(try signature(number), key) }
        for number in 100..<20_000 {
            table.keep(try signature(number), key(number, table))
            for key in watched { _ = table.signature(key) }
        }
        #expect(watched.filter { table.contains($0) }.count == watched.count)
    }

    private final class Reading: Sendable {
        let isOver = Atomic(false)
    }

    @Test func `a reader never takes a signature that is being written for a whole one`() async throws {
        let table = SignatureTable(capacity: 8)
        // More keys than there is room for, so that each is written over by others all the time.
        let keys = (0..<24).map { key($0, table) }
        let signatures = try (0..<24).map { try signature($0) }
        let reading = Reading()
        await withTaskGroup(of: Int.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    var wrong = 0
                    while !reading.isOver.load(ordering: .relaxed) {
                        for (number, key) in keys.enumerated() {
                            if let read = table.signature(key), bytes(read) != bytes(signatures[number]) { wrong += 1 }
                        }
                    }
                    return wrong
                }
            }
            for round in 0..<20_000 { table.keep(signatures[round % 24], keys[round % 24]) }
            reading.isOver.store(true, ordering: .relaxed)
            for await wrong in group { #expect(wrong == 0) }
        }
    }
}
