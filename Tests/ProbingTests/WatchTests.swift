import NIOCore
import Steering
import Testing

@testable import Probing

/// What a prober knows of a target, without a socket.
@Suite struct WatchTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    private let start = WatchTests.start
    private let target: ProbeTarget

    init() throws { target = try ProbeClientTests.target(80, #"{"path": "/", "interval": 5, "rise": 2, "fall": 3}"#) }

    /// A watch that expectations may ask: they take no mutating calls.
    private final class Watched {
        var watch = Watch()

        func judge(_ result: Result<[ProbeClient.Found], any Error>, _ target: ProbeTarget, at now: NIODeadline = WatchTests.start)
            -> Verdict
        {
            watch.judge(result, target, at: now, since: WatchTests.start)
        }

        func pause(after verdict: Verdict) -> ClosedRange<Double> { watch.pause(after: verdict) }

        func hasten() -> Bool { watch.hasten() }

        /// A round is planned.
        func plan() { watch.next = Names.eventLoop.scheduleTask(in: .hours(1)) {} }

        func record(_ verdict: Verdict, _ probe: Probe, at now: NIODeadline = WatchTests.start) -> Bool {
            watch.record(verdict, probe, at: now)
        }
    }

    private func found(_ answers: (String, Verdict)...) -> Result<[ProbeClient.Found], any Error> {
        .success(
            answers.enumerated().compactMap { index, answer in
                ClientAddress(answer.0).map {
                    ProbeClient.Found(address: $0, answer: .verdict(answer.1), took: .milliseconds(Int64(10 * (index + 1))))
                }
            })
    }

    @Test func `a target is up when one of its addresses answers, and the report names those that do not`() {
        let watched = Watched()
        let result = found(("2001:db8::1", .bad("connection refused")), ("192.0.2.1", .good("200")))
        #expect(watched.judge(result, target) == .good("200"))
        #expect(watched.watch.addresses.map { "\($0.address) \($0.verdict.outcome)" } == ["2001:db8::1 bad", "192.0.2.1 good"])
        #expect(watched.watch.latency == .milliseconds(20))
    }

    @Test func `when none answers each says why, once when all say the same`() {
        let watched = Watched()
        let same = found(("192.0.2.1", .bad("connection refused")), ("192.0.2.2", .bad("connection refused")))
        #expect(watched.judge(same, target) == .bad("connection refused"))
        let other = found(("192.0.2.1", .bad("connection refused")), ("192.0.2.2", .bad("status 503, not 200")))
        #expect(
            watched.judge(other, target)
                == .bad("192.0.2.1: connection refused; 192.0.2.2: status 503, not 200"))
    }

    @Test func `an address that this machine cannot ask says nothing beside one that it can`() {
        let watched = Watched()
        let unknown = Verdict.unknown("this machine has no route")
        #expect(watched.judge(found(("::1", unknown), ("192.0.2.1", .bad("no"))), target) == .bad("no"))
        #expect(watched.judge(found(("::1", unknown)), target) == unknown)
    }

    @Test func `a probe that could not be made keeps the verdict, and counts apart`() {
        for isUp in [true, false] {
            let watched = Watched()
            for _ in 0..<3 { _ = watched.record(isUp ? .good("200") : .bad("500"), target.probe) }
            for _ in 0..<100 { #expect(!watched.record(.unknown("too many open files"), target.probe)) }
            #expect(watched.watch.window.isUp == isUp && watched.watch.unknown == 100 && watched.watch.good + watched.watch.bad == 3)
            #expect(watched.watch.last == .unknown("too many open files"))
        }
    }

    @Test func `what an earlier process knew holds until the probes have spoken`() {
        let known = Remembered(target.subject, reason: "connection refused", hasBeenGood: true, age: .seconds(4))
        let watched = Watched()
        watched.watch.inherit(known)
        #expect(!watched.watch.window.isUp && watched.watch.hasBeenGood)
        #expect(!watched.record(.good("200"), target.probe))
        #expect(watched.record(.good("200"), target.probe) && watched.watch.window.isUp)
        watched.watch = Watch()
        watched.watch.inherit(known)
        for _ in 0..<10 { #expect(!watched.record(.bad("500"), target.probe)) }
    }

    @Test func `what an earlier process knew does not hold for ever when no probe can be made`() {
        let watched = Watched()
        watched.watch.inherit(Remembered(target.subject, reason: "", hasBeenGood: true, age: .zero))
        #expect(!watched.record(.unknown(""), target.probe))
        #expect(!watched.record(.unknown(""), target.probe, at: start + .seconds(14)))
        #expect(watched.record(.unknown(""), target.probe, at: start + .seconds(15)) && watched.watch.window.isUp)
    }

    @Test func `knowledge that is old, or from a clock that was set back, is weighed`() {
        #expect(Remembered(target.subject, reason: "", hasBeenGood: true, age: .seconds(3600)).isRecent)
        #expect(!Remembered(target.subject, reason: "", hasBeenGood: true, age: .seconds(3601)).isRecent)
        #expect(Remembered(target.subject, reason: "", hasBeenGood: true, age: .seconds(-5)).age == .zero)
    }

    @Test func `each address has its own live stream, and a new address goes on from the last`() throws {
        let live = try ProbeClientTests.target(80, #"{"path": "/", "playlist": "live"}"#)
        let watched = Watched()
        func verdict(_ address: String, _ sequence: Int, at second: Int64) throws -> Bool {
            var playlist = Playlist()
            playlist.targetDuration = 2
            playlist.progress.sequence = sequence
            let found = ProbeClient.Found(
                address: try #require(ClientAddress(address)), answer: .playlist(status: 200, playlist), took: .zero)
            return watched.judge(.success([found]), live, at: start + .seconds(second)).isGood
        }
        // Two servers that are a segment apart: each stands still by itself.
        for second in stride(from: Int64(0), through: 6, by: 2) {
            #expect(try verdict("192.0.2.1", 7, at: second) && verdict("192.0.2.2", 8, at: second))
        }
        #expect(try !verdict("192.0.2.1", 7, at: 8) && !verdict("192.0.2.2", 8, at: 8))
        #expect(try !verdict("192.0.2.3", 8, at: 9), "an address that is asked for the first time serves the same frozen playlist")
        #expect(try verdict("192.0.2.3", 9, at: 10))
    }

    @Test func `a connection that is closed brings one round forward, and failures after it, until the target is down`() {
        let watched = Watched()
        let probe = target.probe
        _ = watched.record(.good("200"), probe)
        #expect(watched.pause(after: .good("200")) == 0.9...1)
        #expect(!watched.hasten(), "the round under way tells as well")
        watched.plan()
        #expect(watched.hasten())
        #expect(!watched.hasten(), "it is brought forward once")
        for isLast in [false, false, true] {
            _ = watched.record(.bad("connection refused"), probe)
            #expect(watched.pause(after: .bad("connection refused")) == (isLast ? 0.9...1 : 0.2...0.25))
        }
        watched.plan()
        #expect(!watched.hasten(), "it is down already")
    }

    @Test func `a target that closes connections and is well is not hastened again for eight rounds`() {
        let watched = Watched()
        watched.plan()
        #expect(watched.hasten())
        #expect(watched.pause(after: .good("200")) == 0.9...1)
        for _ in 0..<8 {
            watched.plan()
            #expect(!watched.hasten())
            #expect(watched.pause(after: .good("200")) == 0.9...1)
        }
        watched.plan()
        #expect(watched.hasten())
        #expect(watched.pause(after: .unknown("no descriptors")) == 0.9...1)
        watched.plan()
        #expect(watched.hasten(), "what says nothing of the target makes nobody deaf")
    }
}
