import Steering
import Synchronization
import Testing

@testable import Control
@testable import Probing
@testable import Serving
@testable import Storage

struct PublisherTests {
    private static func polled(_ revision: Int, keys: [APIKey] = [], nodes: Int = 1) -> Polled {
        Polled(
            head: Head(databaseID: Sample.databaseID, revision: revision, checksum: "\(revision)"), keys: keys, nodesSeen: nodes)
    }

    private static func key(_ name: String) -> APIKey {
        APIKey(name: name, role: .viewer, hash: Token.hash(name), created: 0, expires: nil)
    }

    /// What was put on the workers, in order; the first swaps wait until they are let through.
    private final class Workers: Sendable {
        let tables = Mutex<[RoutingTable]>([])
        private let gate: AsyncStream<Void>
        private let opener: AsyncStream<Void>.Continuation
        let begun: AsyncStream<Void>
        private let beginner: AsyncStream<Void>.Continuation

        init() {
            (gate, opener) = AsyncStream.makeStream(of: Void.self)
            (begun, beginner) = AsyncStream.makeStream(of: Void.self)
        }

        func apply(_ table: RoutingTable, _ sequences: SequenceSet) async {
            tables.withLock { $0.append(table) }
            beginner.yield()
            for await _ in gate { break }
        }

        func open(_ swaps: Int) { for _ in 0..<swaps { opener.yield() } }
    }

    @Test func `a revision that was stored is live when it returns`() async throws {
        let publisher = try Sample.publisher()
        await publisher.stored(try Sample.revision(2))
        #expect(publisher.view.current.revision == 2)
        #expect(publisher.view.table.revision == 2)
        #expect(publisher.view.newestRevision == 2)
    }

    @Test func `updates that come during a swap become one table`() async throws {
        let workers = Workers()
        let publisher = try Sample.publisher { table, sequences in await workers.apply(table, sequences) }
        async let first: Void = publisher.stored(try Sample.revision(2))
        for await _ in workers.begun { break }
        async let second: Void = publisher.stored(try Sample.revision(3))
        async let third: Void = publisher.geographyChanged(Geography())
        async let fourth: Void = publisher.healthChanged(.init(number: 1, health: Health(downCDNs: ["a"])))
        // Until all three stand behind the swap that is under way.
        while await publisher.waitingUpdates < 3 { await Task.yield() }
        workers.open(2)
        _ = try await (first, second, third, fourth)
        #expect(workers.tables.withLock { $0.map(\.revision) } == [2, 3])
        #expect(publisher.view.table.revision == 3)
    }

    @Test func `regression: an edit that a look found first is not said to be live before it is`() async throws {
        let workers = Workers()
        let publisher = try Sample.publisher { table, sequences in await workers.apply(table, sequences) }
        let look = await publisher.beginLook()
        async let looked: Void = publisher.take(Self.polled(2), try Sample.revision(2), of: look)
        for await _ in workers.begun { break }
        let edit = Task {
            await publisher.stored(try Sample.revision(2))
            return publisher.view.current.revision
        }
        // The edit stands behind the swap, or has returned too early.
        var turns = 0
        while await publisher.waitingUpdates == 0, turns < 10_000 {
            await Task.yield()
            turns += 1
        }
        #expect(await publisher.waitingUpdates == 1)
        workers.open(1)
        _ = try await looked
        #expect(try await edit.value == 2)
        #expect(workers.tables.withLock { $0.map(\.revision) } == [2])
    }

    @Test func `a look that began before an edit does not undo it`() async throws {
        let publisher = try Sample.publisher()
        let look = await publisher.beginLook()
        await publisher.stored(try Sample.revision(2))
        await publisher.take(Self.polled(1), try Sample.revision(1), of: look)
        #expect(publisher.view.current.revision == 2)
    }

    @Test func `the older of two looks is dropped`() async throws {
        let publisher = try Sample.publisher()
        let (older, newer) = (await publisher.beginLook(), await publisher.beginLook())
        await publisher.take(Self.polled(3), try Sample.revision(3), of: newer)
        await publisher.take(Self.polled(2), try Sample.revision(2), of: older)
        #expect(publisher.view.current.revision == 3)
    }

    @Test func `a restored database is followed backwards`() async throws {
        let publisher = try Sample.publisher(revision: 7)
        await publisher.take(Self.polled(3), try Sample.revision(3), of: await publisher.beginLook())
        #expect(publisher.view.current.revision == 3)
        #expect(publisher.view.newestRevision == 3)
    }

    @Test func `of two edits told in the wrong order the newer stays`() async throws {
        let publisher = try Sample.publisher()
        await publisher.stored(try Sample.revision(3))
        await publisher.stored(try Sample.revision(2))
        #expect(publisher.view.current.revision == 3)
    }

    @Test func `a revoked key is not put back by an older look`() async throws {
        let access = Access(fixed: [], now: { 0 })
        let publisher = try Sample.publisher(access: access)
        await publisher.stored([Self.key("anna")])
        #expect(access.key(of: "anna") != nil)
        let look = await publisher.beginLook()
        await publisher.stored([APIKey]())
        await publisher.take(Self.polled(1, keys: [Self.key("anna")]), nil, of: look)
        #expect(access.key(of: "anna") == nil)
    }

    @Test func `an older health does not replace a newer one`() async throws {
        let publisher = try Sample.publisher()
        await publisher.healthChanged(.init(number: 2, health: Health(downCDNs: ["a"])))
        let down = publisher.view.table
        await publisher.healthChanged(.init(number: 1, health: .allUp))
        #expect(publisher.view.table === down)
    }

    @Test func `CDNs that players leave count where the catalog says so, and beside what the probes say`() async throws {
        for passive in [true, false] {
            let failover = Document.object([.init("passive", .bool(passive))])
            let catalog = try Catalog(try Sample.catalog(10).document.replacing("failover", with: failover))
            let publisher = Sample.publisher(
                running: Published(head: Head(databaseID: Sample.databaseID, revision: 1, checksum: ""), catalog: catalog))
            await publisher.leftCDNsChanged(["b"])
            await publisher.healthChanged(.init(number: 1, health: Health(downCDNs: ["a"])))
            #expect(publisher.view.table.health.leftCDNs == (passive ? ["b"] : []))
            #expect(publisher.view.table.health.downCDNs == ["a"])
            let table = publisher.view.table
            await publisher.leftCDNsChanged(["b"])
            #expect(publisher.view.table === table, "nothing has changed")
        }
    }

    @Test func `a time zone that is not known is told once, not with each table`() async throws {
        let lines = Lines()
        let hours = Document.object([.init("timeZone", .string("Europe/Newtown"))])
        let rule = Document.object([
            .init("name", .string("r")), .init("when", .object([.init("hours", hours)])), .init("every", .integer(1)),
        ])
        let catalog = try Catalog(try Sample.catalog(10).document.replacing("rules", with: .array([rule])))
        let head = Head(databaseID: Sample.databaseID, revision: 1, checksum: "")
        let publisher = Sample.publisher(running: Published(head: head, catalog: catalog), logger: lines.logger)
        for number in 1...3 {
            await publisher.healthChanged(.init(number: UInt64(number), health: Health(downCDNs: number % 2 == 0 ? [] : ["a"])))
        }
        let told = lines.all.withLock { $0.filter { $0.contains("Europe/Newtown") } }
        #expect(told.count == 1 && told.first?.contains("upgrade the program") == true)
    }

    @Test func `workers that have ended hold nobody up`() async throws {
        struct Over: Error {}
        let publisher = try Sample.publisher { _, _ in throw Over() }
        await publisher.stored(try Sample.revision(2))
        #expect(publisher.view.current.revision == 1)
    }
}
