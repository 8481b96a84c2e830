import Foundation
import Synchronization
import Testing

@testable import Steering

@Suite struct SequencesTests {
    @Test func `a copy goes on from the same numbers and takes none`() throws {
        let table = try Setup(every: 3, cdns: Setup.cdns(weights: [5, 3, 2])).table()
        let book = SequenceBook()
        let real = book.set(for: table)
        _ = try table.tally(7, real)
        let copy = real.copy()
        let foreseen = try table.targets(40, copy)
        #expect(real.sequences[0].taken == (7, 5))
        #expect(copy.sequences[0].taken.redirects == 47)
        #expect(try table.targets(40, real) == foreseen)
    }

    @Test func `the same numbers give the same decisions`() throws {
        let table = try Setup(every: 10, cdns: Setup.cdns(weights: [9, 1])).table()
        let saved: [(name: String, redirects: UInt64, cdnBound: UInt64)] = [("all", 1234, 1111)]
        let first = try table.targets(200, SequenceBook(saved: saved).set(for: table))
        #expect(try table.targets(200, SequenceBook(saved: saved).set(for: table)) == first)
    }

    @Test func `sequences survive a changed table`() throws {
        let book = SequenceBook()
        let before = try Setup(every: 10).table()
        _ = try before.tally(7, book.set(for: before))
        let after = try Setup(domains: ["other"], servers: ["x"], every: 9, cdns: Setup.cdns(weights: [1, 1])).table()
        let decisions = try (0..<2).map { _ in try after.decide(server: 0, avoiding: nil, sequences: book.set(for: after)) }
        #expect(decisions.map(\.number) == [8, 9])
        #expect(decisions.map(\.target) == [.cdn(1), .origin])
    }

    @Test func `two tables of one book share their numbers while both are in use`() throws {
        let book = SequenceBook()
        let table = try Setup(every: 2).table()
        let (old, new) = (book.set(for: table), book.set(for: table))
        #expect(try table.targets(1, old) + table.targets(1, new) == [.cdn(0), .origin])
    }

    @Test func `with scope server a server keeps its numbers when the list around it changes`() throws {
        let book = SequenceBook()
        let before = try Setup(servers: ["a", "b"], scope: "server").table()
        _ = try before.tally(3, server: 1, book.set(for: before))
        let after = try Setup(servers: ["b", "c", "a"], scope: "server").table()
        let set = book.set(for: after)
        #expect(try after.decide(server: 0, avoiding: nil, sequences: set).number == 4)
        #expect(try after.decide(server: 1, avoiding: nil, sequences: set).number == 1)
        #expect(try after.decide(server: 2, avoiding: nil, sequences: set).number == 1)
    }

    @Test func `a snapshot names each scope that has counted, and a book made of it goes on`() throws {
        let book = SequenceBook()
        let table = try Setup(servers: ["s[1-4]"], every: 2, scope: "server").table()
        #expect(book.snapshot.isEmpty)
        _ = try table.tally(5, server: 2, book.set(for: table))
        _ = try table.tally(2, server: 0, book.set(for: table))
        let snapshot = book.snapshot
        #expect(snapshot.map(\.name) == ["server/s1", "server/s3"])
        #expect(snapshot.map(\.redirects) == [2, 5])
        #expect(snapshot.map(\.cdnBound) == [1, 3])
        let resumed = SequenceBook(saved: snapshot)
        #expect(resumed.snapshot.map(\.name) == ["server/s1", "server/s3"])
        #expect(try table.decide(server: 2, avoiding: nil, sequences: resumed.set(for: table)).number == 6)
        #expect(book.snapshot.map(\.redirects) == [2, 5], "the books are apart")
    }

    /// A scope is not only its name: `all` may be a server's label too.
    @Test func `a server called all counts apart from the scope all`() throws {
        let book = SequenceBook()
        let together = try Setup(servers: ["all", "s1"]).table()
        _ = try together.tally(3, server: 1, book.set(for: together))
        let apart = try Setup(servers: ["all", "s1"], scope: "server").table()
        #expect(try apart.decide(server: 0, avoiding: nil, sequences: book.set(for: apart)).number == 1)
    }

    @Test(arguments: [2, 3, 10])
    func `four threads take each number once, and the origin's share is exact`(every: Int) throws {
        let (threads, turns) = (4, 15_000)
        let table = try Setup(every: every, cdns: Setup.cdns(weights: [1, 1])).table()
        let sequences = SequenceBook().set(for: table)
        let decisions = Mutex<[Decision]>([])
        let group = DispatchGroup()
        for _ in 0..<threads {
            group.enter()
            Thread.detachNewThread {
                let mine = (0..<turns).compactMap { _ in try? table.decide(server: 0, avoiding: nil, sequences: sequences) }
                decisions.withLock { $0 += mine }
                group.leave()
            }
        }
        group.wait()
        let all = decisions.withLock { $0 }
        let total = threads * turns
        #expect(all.map(\.number).sorted() == (1...UInt64(total)).map { $0 })
        #expect(all.count { $0.target == .origin } == total / every)
        #expect(all.count { $0.target == .cdn(0) } == (total - total / every) / 2)
        #expect(sequences.sequences[0].taken == (UInt64(total), UInt64(total - total / every)))
    }
}
