import Glibc
import Synchronization
import Testing

/// Signals, under load. "Failed" is a request on an accepted connection without a complete answer.
@Suite(.serialized, .onThreads)
struct StoppingTests {
    @Test(arguments: [0, 1])
    func `SIGTERM under load fails no request and exits 0`(lameDuck: Int) throws {
        for _ in 0..<Tier.runs(4, soak: 100) {
            let balancer = try Balancer(in: try Folder(), "--lame-duck", "\(lameDuck)")
            defer { balancer.end() }
            let players = Players(balancer)
            try eventually("load") { players.answered >= 500 }
            let ending = try balancer.stop()
            #expect(ending == .exited(0), "\(balancer.errorText)")
            let failures = try players.finish()
            #expect(failures.isEmpty, "\(failures) after \(players.answered) answers")
            #expect(try balancer.log("stopped").map { $0["connectionsCut"] } == ["0"])
        }
    }

    @Test func `SIGTERM right after it began to serve stops it as gracefully as later`() throws {
        for _ in 0..<Tier.runs(5, soak: 100) {
            let folder = try Folder()
            let serving = try Command.start(
                [
                    Command.binary, "serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--database", folder.database,
                    "--lame-duck", "0", "--drain-timeout", "5",
                ], in: folder, environment: ["CDN_HOST": "cdn.example.com"])
            defer { serving.process.end() }
            try eventually("serving", every: 0.001) { serving.output.contains("serving redirects") }
            serving.process.send(SIGTERM)
            let ending = try serving.process.wait()
            #expect(ending == .exited(0))
        }
    }

    @Test func `during lame duck readyz says 503 while redirects still work`() throws {
        let balancer = try Balancer(in: try Folder(), "--lame-duck", "60")
        defer { balancer.end() }
        let kept = try balancer.connection()
        #expect(try kept.get("/readyz").status == 200)
        balancer.process.send(SIGTERM)
        try eventually("503 of the data plane") { try balancer.get("/readyz").status == 503 }
        #expect(try kept.get("/readyz").status == 503)
        #expect(try balancer.admin("/readyz").status == 503)
        #expect(try balancer.admin("/livez").status == 200)
        #expect(try balancer.get("/livez").status == 200)
        let answer = try kept.get(Sample.target)
        #expect(answer.location == Sample.atCDN)
        #expect(!answer.closes)
        #expect(try balancer.get(Sample.target).location == Sample.atCDN)
    }

    @Test func `while draining a kept connection gets one more answer, which closes it, and new ones are refused`() throws {
        let balancer = try Balancer(in: try Folder(), "--drain-timeout", "60")
        defer { balancer.end() }
        let kept = try balancer.connection()
        #expect(try !kept.get(Sample.target).closes)
        balancer.process.send(SIGTERM)
        try eventually("the end of accepting") {
            do {
                _ = try balancer.connection()
                return false
            } catch HTTPConnection.Fault.refused {
                return true
            }
        }
        #expect(balancer.process.poll() == nil)
        let answer = try kept.get(Sample.target)
        #expect(answer.location == Sample.atCDN)
        #expect(answer.closes)
        #expect(try kept.rest() == "")
        #expect(try balancer.process.wait() == .exited(0))
    }

    @Test func `an idle connection does not hold up the end longer than the drain timeout`() throws {
        let balancer = try Balancer(in: try Folder(), "--drain-timeout", "1")
        defer { balancer.end() }
        let kept = try balancer.connection()
        #expect(try kept.get(Sample.target).status == 301)
        #expect(try balancer.stop() == .exited(0))
        #expect(try kept.rest() == "")
        #expect(try balancer.log("stopped").first?["connectionsCut"] == "1")
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func `a second signal quits at once`(signal: CInt) throws {
        let balancer = try Balancer(in: try Folder(), "--lame-duck", "300")
        defer { balancer.end() }
        balancer.process.send(signal)
        try eventually("lame duck") { try balancer.get("/readyz").status == 503 }
        balancer.process.send(signal)
        #expect(try balancer.process.wait() == .exited(1))
    }

    @Test func `it can be started again on the same port right after it stopped`() throws {
        let folder = try Folder()
        let first = try Balancer(in: folder)
        defer { first.end() }
        _ = try first.get(Sample.target)
        #expect(try first.stop() == .exited(0))
        let second = try Balancer(in: folder, "--listen", "127.0.0.1:\(first.port)")
        defer { second.end() }
        #expect(second.port == first.port)
        #expect(try second.get(Sample.target).status == 301)
    }
}

/// Eight players that keep their connections, and two that make one for each request, until nobody listens any more.
private final class Players: Sendable {
    private let workers: [Background<[String]>]
    private let count: AnswerCount
    private let giveUp = Flag()

    /// Requests answered so far.
    var answered: Int { count.value.load(ordering: .relaxed) }

    private final class AnswerCount: Sendable {
        let value = Atomic(0)
    }

    init(_ balancer: Balancer) {
        let count = AnswerCount()
        let giveUp = giveUp
        self.count = count
        workers = (0..<10).map { index in
            Background {
                var failures: [String] = []
                while !giveUp.isUp {
                    do {
                        try Players.play(balancer, keeps: index < 8, count, until: giveUp)
                    } catch HTTPConnection.Fault.refused {
                        break
                    } catch let failure as Failed {
                        failures.append(failure.description)
                    }
                }
                return failures
            }
        }
    }

    /// Waits for all players.
    ///
    /// - Returns: a line for each failed request.
    func finish() throws -> [String] {
        defer { giveUp.raise() }
        return try workers.flatMap { try $0.result(seconds: 30) }
    }

    private struct Failed: Error, CustomStringConvertible {
        let description: String
    }

    /// One connection. An error while connecting is no failed request; whatever comes after is.
    private static func play(_ balancer: Balancer, keeps: Bool, _ count: AnswerCount, until giveUp: Flag) throws {
        let connection: HTTPConnection
        do {
            connection = try balancer.connection()
        } catch HTTPConnection.Fault.reset {
            return
        }
        var requests = 0
        while !giveUp.isUp {
            do {
                let answer = try connection.get(Sample.target, keeps ? [] : ["Connection: close"])
                guard answer.status == 301 else { throw Failure("status \(answer.status)") }
                count.value.add(1, ordering: .relaxed)
                requests += 1
                if answer.closes { return }
            } catch {
                throw Failed(description: "\(keeps ? "kept" : "single") connection, request \(requests + 1): \(error)")
            }
        }
    }
}
