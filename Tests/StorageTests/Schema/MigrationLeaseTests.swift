import Synchronization
import Testing

@testable import Storage

@Suite struct MigrationLeaseTests {
    let scratch: Scratch
    let clock = ManualClock()

    init() throws { scratch = try Scratch() }

    private func lease(_ store: SQLStore, _ owner: String) async throws -> MigrationLease {
        MigrationLease(connection: try await store.connection, clock: clock.migrationClock(), owner: owner)
    }

    /// How long, in milliseconds of the clock, a second process waits for a row left by another.
    private func wait(for store: SQLStore, expires: Int64) async throws -> Int64 {
        try await lease(store, "dead").take()
        try await store.connection.execute("UPDATE balancer_lease SET expires = ?", [.integer(expires)])
        let start = clock.now
        try await lease(store, "next").take()
        return clock.now - start
    }

    @Test(arguments: Backend.all) func `a free lease is taken at once and is free again after its release`(_ backend: Backend) async throws
    {
        let store = try await backend.open(scratch)
        let start = clock.now
        for owner in ["a", "b", "c"] {
            try await lease(store, owner).take()
            try await lease(store, owner).renew()
            try await lease(store, owner).release()
        }
        #expect(clock.now == start)
    }

    @Test(arguments: Backend.all) func `the lease of a killed process ends by itself`(_ backend: Backend) async throws {
        #expect(try await wait(for: backend.open(scratch), expires: clock.now + 30_000) == 30_000)
    }

    @Test(arguments: Backend.all) func `a lease that has ended is taken at once`(_ backend: Backend) async throws {
        #expect(try await wait(for: backend.open(scratch), expires: clock.now) == 0)
        #expect(try await wait(for: backend.open(scratch, "b"), expires: .min) == 0)
    }

    @Test(arguments: Backend.all, [Int64.max, 4_000_000_000_000]) func `a lease from a clock that runs ahead lasts no longer than others`(
        _ backend: Backend, _ expires: Int64
    ) async throws {
        #expect(try await wait(for: backend.open(scratch), expires: expires) == 30_000)
    }

    @Test(arguments: Backend.all) func `a holder who renews is waited for, but not for ever`(_ backend: Backend) async throws {
        let store = try await backend.open(scratch)
        let holder = try await lease(store, "busy")
        try await holder.take()
        let waiting = MigrationLease(
            connection: try await store.connection, clock: clock.migrationClock(whileWaiting: { try? await holder.renew() }), owner: "next")
        let start = clock.now
        let error = await #expect(throws: StorageError.self) { try await waiting.take() }
        #expect(error?.kind == .migrating)
        #expect(error?.detail == "busy holds the lease for 30000 ms more")
        #expect(clock.now - start == 300_000)
    }

    @Test(arguments: Backend.all) func `a cancelled task stops waiting`(_ backend: Backend) async throws {
        let store = try await backend.open(scratch)
        try await lease(store, "busy").take()
        let start = clock.now
        let next = try await lease(store, "next")
        let kind = await withTaskGroup(of: StorageError.Kind?.self) { group in
            group.cancelAll()
            group.addTask {
                do throws(StorageError) {
                    try await next.take()
                    return nil
                } catch {
                    return error.kind
                }
            }
            return await group.next() ?? nil
        }
        #expect(kind == .migrating)
        #expect(clock.now == start)
    }

    @Test(arguments: Backend.all) func `a holder whose lease was taken over is told when it renews`(_ backend: Backend) async throws {
        let store = try await backend.open(scratch)
        let slow = try await lease(store, "slow")
        try await slow.take()
        clock.advance(milliseconds: 30_000)
        try await lease(store, "next").take()
        let error = await #expect(throws: StorageError.self) { try await slow.renew() }
        #expect(error?.kind == .leaseLost)
        try await slow.release()
        try await lease(store, "next").renew()
    }

    @Test(arguments: Backend.all) func `a damaged lease is an error`(_ backend: Backend) async throws {
        let store = try await backend.open(scratch)
        let foreign = ["UPDATE balancer_lease SET expires = 'soon'", "UPDATE balancer_lease SET owner = x'00', expires = 0"]
        let damages = (backend.keepsForeignKinds ? foreign : []).map { ($0, StorageError.Kind.corrupt) }
        for (damage, kind) in damages + [("DROP TABLE balancer_lease", .unprepared)] {
            try await store.connection.execute(damage, [])
            let error = await #expect(throws: StorageError.self) { try await lease(store, "a").take() }
            #expect(error?.kind == kind, "\(damage)")
        }
    }

    @Test(arguments: [-3600, -86_400, -3 * 365 * 86_400] as [Int64])
    func `whoever waits for a killed process waits no longer because the clock is set back`(leap: Int64) async throws {
        let store = try await Backend.sqlite.open(scratch)
        try await lease(store, "dead").take()
        clock.advance(milliseconds: 10_000)
        let start = clock.uptime
        let hasLeapt = Mutex(false)
        let waiting = MigrationLease(
            connection: try await store.connection,
            clock: clock.migrationClock(whileWaiting: {
                hasLeapt.withLock { hasLeapt in
                    if !hasLeapt { clock.leap(milliseconds: leap * 1000) }
                    hasLeapt = true
                }
            }), owner: "next")
        try await waiting.take()
        #expect(clock.uptime - start <= .milliseconds(MigrationLease.length))
    }

    @Test func `a start that waits for another's migration says so at once and every five seconds`() async throws {
        let store = try await Backend.sqlite.open(scratch)
        try await lease(store, "dead").take()
        try await store.connection.execute("DELETE FROM balancer_migrations WHERE id = 7", [])
        let lines = Mutex<[String]>([])
        try await store.migrator(clock: clock.migrationClock()).up { line in lines.withLock { $0.append(line) } }
        let told = lines.withLock { $0 }
        #expect(told.count == 6)
        #expect(told.first?.contains("another process migrates it") == true)
        #expect(told.first?.contains("waiting for its lease, 31 s at most") == true)
    }

    @Test func `a start that is cancelled while it waits for another's migration ends at once`() async throws {
        let store = try await Backend.sqlite.open(scratch)
        try await lease(store, "busy").take()
        try await store.connection.execute("DELETE FROM balancer_migrations WHERE id = 7", [])
        let (waits, begun) = AsyncStream.makeStream(of: Void.self)
        // Pauses as the system's clock does: until the task is cancelled.
        let still = MigrationClock(
            now: { clock.now }, uptime: { clock.uptime },
            pause: { _ in
                begun.yield()
                try? await Task.sleep(for: .seconds(3600))
            })
        let task = Task { try await store.migrator(clock: still).up() }
        for await _ in waits { break }
        task.cancel()
        let error = await #expect(throws: StorageError.self) { try await task.value }
        #expect(error?.kind == .migrating)
    }
}
