import Foundation
import Testing

/// Every system call of the fast loop fails now and then: the loop goes on, does not spin, and serves as before when the faults end.
@Suite(.serialized, .onThreads, .enabled(if: Strace.works, "strace may not trace here"))
struct LoopFaultTests {
    static let faults = [
        ("accept4", ["EMFILE", "ENFILE", "ENOMEM", "ENOBUFS", "ECONNABORTED", "EINTR", "EAGAIN", "EPERM"]),
        ("recvfrom", ["EINTR", "EAGAIN", "ECONNRESET", "ENOMEM", "ETIMEDOUT"]),
        ("sendto", ["EINTR", "EAGAIN", "ECONNRESET", "EPIPE", "ENOBUFS", "ENOMEM"]),
        ("epoll_wait", ["EINTR"]),
        ("epoll_ctl", ["ENOMEM", "ENOSPC"]),
        ("close", ["EINTR", "EIO"]),
    ]

    @Test func `each call of the loop may fail with each error at the N-th time`() throws {
        let folder = try Folder()
        let balancer = try Balancer(in: folder, "--workers", "1", "--head-timeout", "2")
        defer { balancer.end() }
        let thread = try FastThread(of: balancer)
        for (call, errors) in Self.faults {
            for error in errors {
                let fault = Strace.Fault(call: call, error: error)
                for when in Tier.isSoak ? ["1+1", "1+2", "2+3", "3+5", "7+11"] : ["1+2", "3+5"] {
                    try expectRecovery(from: fault, when: when, balancer, thread)
                }
            }
        }
        #expect(balancer.process.poll() == nil, "\(balancer.errorText)")
        try eventually("no open connection") { try balancer.metrics()["balancer_connections_open"] == 0 }
    }

    /// Asks beside the faults, on a connection that was there before and on new ones, and again when they have ended.
    private func expectRecovery(from fault: Strace.Fault, when: String, _ balancer: Balancer, _ thread: FastThread) throws {
        let kept = try balancer.connection()
        _ = try kept.get(Sample.target)
        let attached = try Strace.Attached(fault, when: when, on: thread, in: balancer.folder)
        var answered = 0
        for round in 0..<12 {
            // A fault may cost a connection; it may not cost the others.
            if let connection = try? HTTPConnection("127.0.0.1", balancer.port, seconds: 1),
                (try? connection.get(Sample.target, round % 2 == 0 ? ["Connection: close"] : []))?.status == 301
            {
                answered += 1
            }
            if round % 4 == 0 { _ = try? kept.get(Sample.target) }
        }
        let (failed, waits) = try attached.end()
        let name = "\(fault.testDescription) at \(when)"
        #expect(failed > 0, "\(name): no call failed, so nothing is shown")
        // Each of the dozen has a few events. Waits that found nothing are not among them: their number is a matter of time.
        #expect(waits < 200, "\(name): \(waits) waits with events")
        try eventually("an answer after \(name)") { (try? balancer.get(Sample.target))?.status == 301 }
        let sleeps = try thread.sleeps
        for _ in 0..<5 { #expect(try balancer.get(Sample.target, "Connection: close").status == 301, "\(name)") }
        // A loop that spins never sleeps.
        try eventually("the loop to sleep after \(name)") { try thread.sleeps > sleeps }
        if Tier.isSoak { print("\(name): \(failed) failed, \(waits) waits, \(answered) of 12 answered") }
    }

    @Test func `without descriptors the loop rests, and serves again as soon as there are some`() throws {
        let folder = try Folder()
        let balancer = try Balancer(in: folder, "--workers", "1")
        defer { balancer.end() }
        let thread = try FastThread(of: balancer)
        let kept = try balancer.connection()
        #expect(try kept.get(Sample.target).status == 301)
        // The limit that it began with leaves a reserve; a system that has no more takes that too.
        #expect(try Command.run(["prlimit", "--pid", "\(balancer.process.id)", "--nofile=100:100"], in: folder).code == 0)
        var waiting = try (0..<200).map { _ in
            let connection = try balancer.connection()
            try connection.send(HTTPConnection.request(Sample.target))
            return connection
        }
        try eventually("the line about descriptors") { try !balancer.log().filter { $0.message.contains("cannot accept") }.isEmpty }
        let before = try thread.sleeps
        pause(2)
        // A loop that spins never sleeps, or wakes up all the time.
        let sleeps = try thread.sleeps - before
        #expect((1..<400).contains(sleeps), "the loop spins: it slept \(sleeps) times")
        #expect(try kept.get(Sample.target).status == 301, "who is connected is served")
        #expect(try balancer.log().count { $0.message.contains("cannot accept") } < 5, "the log is flooded")
        waiting.removeAll()
        try eventually("an answer once descriptors are free") { (try? balancer.get(Sample.target))?.status == 301 }
        #expect(try kept.get(Sample.target).status == 301)
    }

    @Test func `clients that never read cost little and end, beside a served one`() throws {
        let balancer = try Balancer(in: try Folder(), "--workers", "1", "--head-timeout", "2", "--idle-timeout", "2")
        defer { balancer.end() }
        let request = Array(String(repeating: HTTPConnection.request(Sample.target), count: 100).utf8)
        let mute = try (0..<30).map { _ in try HTTPConnection("127.0.0.1", balancer.port, seconds: 1) }
        // Until the socket is full in both directions: the balancer has stopped to read.
        _ = try concurrently(30) { index in
            var isTaken = true
            while isTaken { do { try mute[index].send(request) } catch { isTaken = false } }
        }
        for _ in 0..<50 { #expect(try balancer.get(Sample.target).status == 301) }
        try eventually("the end of those that never read", within: 30) { try balancer.metrics()["balancer_connections_open"] == 0 }
        withExtendedLifetime(mute) {}
    }
}
