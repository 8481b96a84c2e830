import DatabaseServers
import Foundation
import Synchronization
import Testing

/// SIGKILL of the database server at random moments under acknowledged edits.
@Suite(.serialized, .onThreads, .enabled(if: MariaDBServer.isInstalled, "mariadb-server is not installed"))
struct ServerCrashTests {
    @Test func `of edits acknowledged before the server was killed none is lost, and edits work again when it is back`() async throws {
        let server = try await MariaDBServer()
        try await server.start()
        try await server.ask("CREATE DATABASE balancer; CREATE USER b@'%' IDENTIFIED BY 'p'; GRANT ALL ON balancer.* TO b@'%'")
        let balancer = try Balancer(
            in: try Folder(), environment: ["CDN_HOST": "cdn.example.com", "BALANCER_ADMIN_TOKEN": Editor.token], "--database",
            "mysql://b:p@127.0.0.1:\(server.port)/balancer")
        defer { balancer.end() }
        let ledger = Ledger()
        var longest = Duration.zero
        for run in 1...Tier.runs(20, soak: 200) {
            let writers = EditLoad(over: [balancer.adminPort, balancer.adminPort, balancer.adminPort], ledger, name: "run\(run)")
            pause(Double.random(in: 0.02...0.25))
            server.kill()
            try await server.start()
            let back = ContinuousClock.now
            let known = ledger.acceptedCount
            try eventually("an edit after the restart", within: 15, every: 0.005) { ledger.acceptedCount > known }
            longest = max(longest, ContinuousClock.now - back)
            try writers.stop()
            try ledger.check(try Editor(balancer).history(), "run \(run)")
        }
        print("kills of mariadbd: \(Tier.runs(20, soak: 200)), accepted edits: \(ledger.acceptedCount), \(ledger.failureCount) failed,")
        print("longest from the server's first answer to the next accepted edit: \(longest)")
        #expect(ledger.acceptedCount >= Tier.runs(20, soak: 200))
    }
}

/// What operators were told: which revision holds which edit.
final class Ledger: Sendable {
    private struct State {
        /// Revision → the edit's comment.
        var accepted: [Int: String] = [:]
        /// Edits of which nobody knows whether they are stored.
        var doubtful: Set<String> = []
        var failures: Set<String> = []
    }

    private let state = Mutex(State())

    var acceptedCount: Int { state.withLock { $0.accepted.count } }
    var failureCount: Int { state.withLock { $0.doubtful.count } }
    /// Up to ten of the reasons.
    var reasons: [String] { state.withLock { Array($0.failures.prefix(10)) } }

    func note(_ comment: String, _ outcome: Editor.Outcome) throws {
        try state.withLock { state in
            switch outcome {
            case .accepted(let revision):
                if let other = state.accepted.updateValue(comment, forKey: revision) {
                    throw Failure("revision \(revision) was acknowledged to \(other) and to \(comment)")
                }
            case .stale: break
            case .failed(let why):
                state.doubtful.insert(comment)
                state.failures.insert(why)
            }
        }
    }

    /// How many accepted edits are not in the history.
    func missing(in history: [(id: Int, comment: String)]) -> Int {
        let comments = Set(history.map(\.comment))
        return state.withLock { state in state.accepted.values.count { !comments.contains($0) } }
    }

    /// Each accepted edit stands in the history at its revision and nowhere else; ids have no gap; nothing else is there but edits in doubt.
    func check(_ history: [(id: Int, comment: String)], _ when: String) throws {
        let (accepted, doubtful) = state.withLock { ($0.accepted, $0.doubtful) }
        let stored = Dictionary(uniqueKeysWithValues: history.map { ($0.id, $0.comment) })
        #expect(history.map(\.id) == Array((1...max(history.count, 1)).reversed()), "\(when)")
        for (revision, comment) in accepted where stored[revision] != comment {
            throw Failure("\(when): revision \(revision) should be \(comment), is \(stored[revision] ?? "missing")")
        }
        let comments = history.map(\.comment)
        #expect(Set(comments).count == comments.count, "\(when): an edit is stored twice")
        let strangers = history.filter { accepted[$0.id] == nil && $0.id > 1 && !doubtful.contains($0.comment) }
        #expect(strangers.isEmpty, "\(when): refused and yet stored: \(strangers)")
    }
}

/// Operators who edit without a pause, each at one balancer, until they are stopped.
final class EditLoad: Sendable {
    private let isOver = Flag()
    private let works: [Background<Void>]

    /// - Parameter limit: ends by itself after so many accepted edits.
    init(over ports: [UInt16], _ ledger: Ledger, name: String, limit: Int = .max) {
        let isOver = isOver
        works = ports.enumerated().map { index, port in
            Background {
                let editor = Editor(port: port)
                var number = 0
                while !isOver.isUp, ledger.acceptedCount < limit {
                    number += 1
                    let comment = "\(name)-\(index)-\(number)"
                    let outcome = editor.edit(every: number, comment: comment)
                    try ledger.note(comment, outcome)
                    if case .failed = outcome { pause(0.02) }
                }
            }
        }
    }

    func stop() throws {
        isOver.raise()
        try finish()
    }

    /// Waits until all have ended.
    func finish(seconds: Double = 120) throws { for work in works { try work.result(seconds: seconds) } }
}
