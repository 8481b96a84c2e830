import Foundation
import Glibc
import Synchronization
import Testing

/// SIGKILL at random moments: what was acknowledged is there afterwards.
@Suite(.serialized, .onThreads)
struct CrashTests {
    @Test func `killed at random while catalogs are imported, it loses nothing acknowledged and serves again`() throws {
        let folder = try Folder()
        var balancer = try Balancer(in: folder)
        defer { balancer.end() }
        let history = History()
        for run in 1...Tier.runs(20, soak: 200) {
            let importers = (0..<2).map { _ in Importer(folder, history) }
            let moments = (0..<3).map { _ in Double.random(in: 0...0.35) }
            let started = ContinuousClock.now
            let kills = [balancer.process.kill9, importers[0].kill9, importers[1].kill9]
            for (moment, kill) in zip(moments, kills).sorted(by: { $0.0 < $1.0 }) {
                let passed = (ContinuousClock.now - started) / .seconds(1)
                if moment > passed { pause(moment - passed) }
                kill()
            }
            try importers.forEach { try $0.finish() }
            try balancer.process.wait()

            #expect(try folder.sqlite("PRAGMA integrity_check") == "ok")
            let recovered = try history.check(against: folder, run: run, inFlight: importers.count)
            balancer = try Balancer(in: folder)
            #expect(try balancer.metrics()["balancer_catalog_revision"] == Double(recovered), "run \(run)")
            #expect(try balancer.get(Sample.target).status == 301)
        }
    }
}

extension ChildProcess {
    fileprivate func kill9() { send(SIGKILL) }
}

/// What importers were told: which revision holds which attempt.
private final class History: Sendable {
    private struct State {
        var attempts = 0
        /// Revision → attempt, acknowledged by `revision N` on standard output.
        var acknowledged: [Int: Int] = [:]
    }

    private let state = Mutex(State())

    func nextAttempt() -> Int {
        state.withLock { state in
            state.attempts += 1
            return state.attempts
        }
    }

    func acknowledge(_ revision: Int, _ attempt: Int) throws {
        let earlier = state.withLock { $0.acknowledged.updateValue(attempt, forKey: revision) }
        if let earlier { throw Failure("revision \(revision) was acknowledged to attempts \(earlier) and \(attempt)") }
    }

    /// Compares with the database: every acknowledged revision is there with its own catalog, and not many more.
    ///
    /// - Returns: the newest revision.
    func check(against folder: Folder, run: Int, inFlight: Int) throws -> Int {
        let rows = try folder.sqlite("SELECT id, json_extract(catalog, '$.origin.every') FROM balancer_revisions")
        let stored = Dictionary(
            uniqueKeysWithValues: rows.split(separator: "\n").map { row in
                let parts = row.split(separator: "|").compactMap { Int($0) }
                return (parts[0], parts[1])
            })
        let acknowledged = state.withLock { $0.acknowledged }
        for (revision, attempt) in acknowledged { #expect(stored[revision] == attempt, "run \(run), revision \(revision)") }
        let newest = stored.keys.max() ?? 0
        let newestAcknowledged = acknowledged.keys.max() ?? 1
        #expect((newestAcknowledged...(newestAcknowledged + inFlight)).contains(newest), "run \(run)")
        // What was in flight and is there counts as known from now on.
        state.withLock { state in for (revision, attempt) in stored { state.acknowledged[revision] = attempt } }
        return newest
    }
}

/// Imports one catalog after the other, each by a process of its own, until it is killed. The catalog's N is the attempt's number.
private final class Importer: Sendable {
    private let victim = Victim()
    private let work: Background<Void>

    /// The process that runs now, shared with the thread that kills it.
    private final class Victim: Sendable {
        private struct State: Sendable {
            var current: ChildProcess?
            var isKilled = false
        }

        private let state = Mutex(State())

        /// - Returns: nil after the kill.
        func start(_ attempt: Int, in folder: Folder) throws -> Command.Running? {
            try state.withLock { state in
                guard !state.isKilled else { return nil }
                let running = try Command.start(
                    [Command.binary, "catalog", "import", "attempt-\(attempt).json", "--database", folder.database], in: folder)
                state.current = running.process
                return running
            }
        }

        func kill9() {
            state.withLock { state in
                state.isKilled = true
                state.current?.kill9()
            }
        }
    }

    init(_ folder: Folder, _ history: History) {
        let victim = victim
        work = Background {
            while true {
                let attempt = history.nextAttempt()
                try folder.write(Sample.catalog(every: attempt), to: "attempt-\(attempt).json")
                guard let running = try victim.start(attempt, in: folder) else { return }
                let finished = try running.finish()
                if let revision = finished.acknowledgedRevision { try history.acknowledge(revision, attempt) }
                guard finished.code >= 0 else { return }
                // Of two that come at once one is refused; that is the contract, and it says so.
                guard finished.code == 0 || finished.error.contains("changed meanwhile") else { throw Failure("\(finished)") }
            }
        }
    }

    func kill9() { victim.kill9() }

    /// Waits for the end that the kill brought.
    func finish() throws { try work.result(seconds: 60) }
}
