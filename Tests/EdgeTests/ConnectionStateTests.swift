import NIOCore
import Steering
import Testing

@testable import Edge

/// The connection as a value: no socket, no event loop, the clock is an argument.
@Suite struct ConnectionStateTests {
    /// Every order of up to five steps, each begun at its first one. After a step that changes nothing, or a close, nothing new can come.
    @Test(arguments: ConnectionModel.Step.allCases)
    func `in every order of five steps answers keep their order, none is lost, nothing follows the last, and deadlines end it`(
        first: ConnectionModel.Step
    ) throws {
        let model = try ConnectionModel()
        guard model.can(first) else { return }
        var tried = 0
        explore(model, [first], &tried)
        var begun = model
        begun.take(first)
        #expect(begun.isClosed || tried > 500, "only \(tried) orders: the test tries too little")
    }

    private func explore(_ model: ConnectionModel, _ steps: [ConnectionModel.Step], _ tried: inout Int) {
        guard let step = steps.last else { return }
        var next = model
        next.take(step)
        tried += 1
        if let fault = fault(after: next) { return _ = Issue.record("\(steps): \(fault)") }
        if next.isClosed || steps.count == 5 { return }
        for step in ConnectionModel.Step.allCases where next.can(step) { explore(next, steps + [step], &tried) }
    }

    /// What is wrong when nothing more is asked: once all goes well, once nobody does anything any more.
    private func fault(after model: ConnectionModel) -> String? {
        var kind = model
        // The page and each of a few pending upstreams take a round.
        for _ in 0..<12 where !kind.isClosed {
            if !kind.unsent.isEmpty { kind.takeAll() } else { kind.answerUpstream() }
        }
        if let fault = answersFault(kind) { return "all is taken: \(fault)" }
        var silent = model
        for _ in 0..<16 where !silent.isClosed { silent.passDeadline() }
        if !silent.isClosed { return "deadlines do not end it: \(silent.connection.phase)" }
        return answersFault(silent).map { "nothing is taken: \($0)" }
    }

    private func answersFault(_ model: ConnectionModel) -> String? {
        if let fault = model.faults.first { return fault }
        var answers = model.received
        // A head or a body that did not come in time.
        if answers.last?.status == 408 { answers.removeLast() }
        for (answer, asked) in zip(answers, model.asked) where answer.isOf != asked {
            if answer.status != 503 || !asked.hasPrefix("/upstream") { return "\(answers) to \(model.asked)" }
        }
        if answers.count > model.asked.count { return "more answers than requests: \(answers)" }
        let isOver = model.received.last?.closes == true || model.wasCut
        return answers.count < model.asked.count && !isOver ? "lost: \(answers) to \(model.asked)" : nil
    }

    // MARK: Upstreams

    @Test func `an answer that waits for an upstream holds up no answer before it, and those behind it wait`() throws {
        var model = try ConnectionModel()
        model.take(.asks)
        model.take(.asksUpstream)
        #expect(model.received.map(\.isOf) == [atCDN("/1")])
        #expect(model.fetched.map(\.target) == ["/upstream?2"])
        #expect(!model.isReading)
        model.answerUpstream()
        #expect(model.received.map(\.isOf) == [atCDN("/1"), "/upstream?2", atCDN("/3")])
        #expect(model.isReading)
    }

    @Test func `an upstream that is silent for five seconds costs its own answer only, and what it says later is nobody's`() throws {
        var model = try ConnectionModel()
        let began = model.now
        model.take(.asksUpstream)
        model.passDeadline()
        #expect(model.now - began == .seconds(5))
        #expect(model.received.map(\.status) == [503, 301])
        model.answerUpstream()
        #expect(model.received.count == 2)
        #expect(!model.isClosed)
    }

    @Test func `a client that has ended its side gets the answer that waits for an upstream`() throws {
        var model = try ConnectionModel()
        model.take(.asksUpstream)
        model.take(.endsInput)
        model.takeAll()
        #expect(!model.isClosed)
        model.answerUpstream()
        model.takeAll()
        #expect(model.received.map(\.isOf) == ["/upstream?1", atCDN("/2")])
        #expect(model.isClosed)
    }

    @Test func `an answer that waits for an upstream while the node begins to drain is the last one`() throws {
        var model = try ConnectionModel()
        model.take(.asksUpstream)
        model.take(.nodeDrains)
        model.answerUpstream()
        #expect(model.received.map(\.isOf) == ["/upstream?1"])
        #expect(model.received.map(\.closes) == [true])
    }

    @Test func `without an upstream, and with one that fails, the answer is a refusal`() throws {
        for upstream in [nil, FailingUpstream()] as [FailingUpstream?] {
            var router = Router()
            router.add("/upstream", Router.Route(resource: .upstream, methods: .reading, isFast: false))
            let rig = try ConnectionRig(router: router)
            rig.slowLoop.upstream = upstream
            rig.send("GET /upstream HTTP/1.1\r\nHost: b\r\n\r\n" + get("/a"))
            #expect(try rig.answers().map(\.status) == [503, 301])
        }
    }

    @Test func `an upstream's content is answered when it is there`() throws {
        var router = Router()
        router.add("/upstream", Router.Route(resource: .upstream, methods: .reading, isFast: false))
        let rig = try ConnectionRig(router: router)
        let upstream = HeldUpstream()
        rig.slowLoop.upstream = upstream
        rig.send(get("/a") + "GET /upstream?x=y HTTP/1.1\r\nHost: b\r\n\r\n" + get("/b"))
        #expect(try rig.answers().map { $0["Location"] } == [atCDN("/a")])
        #expect(!rig.isReading)
        upstream.answer()
        let answers = try rig.answers()
        #expect(answers.map(\.body) == ["of /upstream?x=y", ""])
        #expect(answers.last?["Location"] == atCDN("/b"))
        #expect(rig.isReading)
    }

    private struct FailingUpstream: Upstream {
        func fetch(_ request: UpstreamRequest, on loop: any EventLoop) -> EventLoopFuture<UpstreamContent> {
            loop.makeFailedFuture(EdgeError("down"))
        }
    }

    /// Used on its loop's thread alone.
    private final class HeldUpstream: Upstream, @unchecked Sendable {
        private var held: (target: [UInt8], promise: EventLoopPromise<UpstreamContent>)?

        func fetch(_ request: UpstreamRequest, on loop: any EventLoop) -> EventLoopFuture<UpstreamContent> {
            let promise = loop.makePromise(of: UpstreamContent.self)
            held = (request.target, promise)
            return promise.futureResult
        }

        func answer() {
            guard let (target, promise) = held else { return }
            let body = ByteBuffer(string: "of \(String(decoding: target, as: UTF8.self))")
            promise.succeed(.page(EdgePage(path: "", type: "text/plain", body: body, policy: nil)))
        }
    }
}
