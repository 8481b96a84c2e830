import Dispatch
import NIOCore
import NIOPosix
import Playlist
import Steering
import Synchronization
import Testing

@testable import Edge

/// Links that private keys sign: requests wait for their signatures, and no others do.
@Suite struct SlowSigningTests {
    private static let cdns = [("cdn-a", "http://a.example"), ("cdn-b", "http://b.example")]

    private static func setup(_ signer: SlowSigner, every: Int = 0, alone: Bool = false, links: Bool = false) -> Setup {
        var setup = Setup(every: every, cdns: alone ? Array(cdns.prefix(1)) : cdns, links: links)
        setup.signers = Signers([.unneeded, .ready(signer)] + (alone ? [] : [.unneeded]))
        return setup
    }

    private static func responder(_ setup: Setup, _ signing: SigningQueue?, _ book: SequenceBook = SequenceBook()) throws -> Responder {
        let table = try setup.table()
        return Responder(table: table, sequences: book.set(for: table), signing: signing, clock: { 784_111_777 })
    }

    private static func head(_ text: String) throws -> (head: RequestHead, bytes: [UInt8]) {
        let bytes = [UInt8](latin1: text)
        var scanner = HeadScanner(limits: Limits())
        guard case .complete(let head) = scanner.scan(bytes.span) else { throw EdgeError("no head") }
        return (head, bytes)
    }

    /// What the responder makes of it, and what it has written.
    private static func ask(
        _ responder: inout Responder, _ text: String, isFast: Bool = false
    ) throws -> (outcome: Responder.Outcome, text: String) {
        let (head, bytes) = try head(text)
        responder.writer.bytes = []
        let outcome = responder.respond(to: head, bytes.span, from: .unknown, closes: false, isFast: isFast)
        return (outcome, responder.writer.bytes.latin1)
    }

    @Test func `a request waits for its signature before it takes a number, and is then answered`() throws {
        let (signer, book) = (SlowSigner(), SequenceBook())
        var responder = try Self.responder(Self.setup(signer, every: 2, alone: true), SigningQueue(), book)
        #expect(try Self.ask(&responder, get("/film/a.ts"), isFast: true).outcome == .needsSlowPath)
        let (outcome, text) = try Self.ask(&responder, get("/film/a.ts"))
        #expect(outcome == .needsUpstream && text.isEmpty)
        #expect(book.snapshot.isEmpty)
        let works = try #require(responder.wanted?.signatures)
        #expect(works.count == 1)
        for work in works { work.run() }
        let (head, bytes) = try Self.head(get("/film/a.ts"))
        responder.respond(toUpstream: .signed, of: head, bytes, from: .unknown, closes: false)
        #expect(responder.writer.bytes.latin1.contains("Location: http://a.example/s1/film/a.ts?t\r\n"))
        #expect(book.snapshot.map(\.redirects) == [1])
        // The fast path has it from now on, and every second request is the origin's as before.
        #expect(try Self.ask(&responder, get("/film/b.ts"), isFast: true).text.contains("Location: http://s1.origin-cluster/film/b.ts\r\n"))
        #expect(try Self.ask(&responder, get("/film/c.ts"), isFast: true).text.contains("Location: http://a.example/s1/film/c.ts?t\r\n"))
        #expect(responder.counters.signatures == .init(hits: 2, misses: 1, refused: 0))
        #expect(signer.onTheSpot.withLock { $0 } == [])
    }

    @Test(arguments: [true, false])
    func `without room for a signature the next target of the ranking is taken, and without one the answer is 503`(isFast: Bool) throws {
        let signer = SlowSigner()
        var responder = try Self.responder(Self.setup(signer), nil)
        for _ in 0..<4 {
            #expect(
                try Self.ask(&responder, get("/film/a.ts"), isFast: isFast).text.contains("Location: http://b.example/s1/film/a.ts\r\n"))
        }
        // Two of the four were the other CDN's anyway.
        #expect(responder.total.reasons[Int(Decision.Reason.signingBusy.rawValue)] == 2)
        #expect(responder.counters.signatures == .init(hits: 0, misses: 0, refused: 4))
        var alone = try Self.responder(Self.setup(signer, alone: true), nil)
        let text = try Self.ask(&alone, get("/film/a.ts"), isFast: isFast).text
        #expect(text.hasPrefix("HTTP/1.1 503 ") && text.contains("\r\nRetry-After: 5\r\n") && text.contains("\"reason\":\"signing-busy\""))
        #expect(alone.counters.refusals[.init(status: 503, reason: "signing-busy")] == 1)
        #expect(signer.onTheSpot.withLock { $0 } == [])
    }

    @Test func `what a rule refuses waits for nothing`() throws {
        let signer = SlowSigner()
        var setup = Self.setup(signer, alone: true)
        setup.rules = #"[{"name": "no", "when": {"paths": ["/secret/"]}, "deny": true}]"#
        var responder = try Self.responder(setup, SigningQueue())
        #expect(try Self.ask(&responder, get("/secret/a.ts"), isFast: true).text.hasPrefix("HTTP/1.1 403 "))
        #expect(try Self.ask(&responder, get("/film/a.ts"), isFast: true).outcome == .needsSlowPath)
    }

    @Test func `a link that is ready needs no room`() throws {
        let signer = SlowSigner()
        signer.prepare("http://a.example/s1/film")
        var responder = try Self.responder(Self.setup(signer, alone: true), nil)
        #expect(try Self.ask(&responder, get("/film/a.ts"), isFast: true).text.contains("Location: http://a.example/s1/film/a.ts?t\r\n"))
    }

    @Test func `a signature that fails or comes too late is waited for once`() throws {
        let signer = SlowSigner()
        var responder = try Self.responder(Self.setup(signer, alone: true), SigningQueue())
        #expect(try Self.ask(&responder, get("/film/a.ts")).outcome == .needsUpstream)
        let (head, bytes) = try Self.head(get("/film/a.ts"))
        responder.respond(toUpstream: nil, of: head, bytes, from: .unknown, closes: false)
        #expect(responder.writer.bytes.latin1.hasPrefix("HTTP/1.1 503 "))
        #expect(responder.counters.signatures == .init(hits: 0, misses: 1, refused: 1))
    }

    @Test func `targets whose links would have to be signed on the spot are named by no answer`() throws {
        let signer = SlowSigner()
        var responder = try Self.responder(Self.setup(signer, links: true), nil)
        for _ in 0..<2 {
            let text = try Self.ask(&responder, get("/film/a.ts", "Accept: application/json")).text
            #expect(text.contains("http://b.example/s1/film/a.ts") && !text.contains("http://a.example"))
        }
        signer.prepare("http://a.example/s1/film")
        let text = try Self.ask(&responder, get("/film/a.ts", "Accept: application/json")).text
        #expect(text.contains("http://a.example/s1/film/a.ts?t"))
        #expect(signer.onTheSpot.withLock { $0 } == [])
    }

    @Test func `a connection awaits the signature of a head and of a body`() throws {
        let body = #"{"video": "http://s1.origin-cluster/body/a.ts"}"#
        let post = HeadVector.head("POST /origin HTTP/1.1", ["Host: b", "Content-Length: \(body.utf8.count)"]) + body
        for (request, link) in [(get("/head/a.ts"), "head/a.ts"), (post, "body/a.ts")] {
            let signer = SlowSigner()
            var responder = try Self.responder(Self.setup(signer, alone: true), SigningQueue())
            let now = NIODeadline.uptimeNanoseconds(1_000_000_000)
            var connection = Connection(of: .unknown, limits: Limits(), bodies: BodyMemory(limit: .max), at: now)
            _ = connection.handle(.opened(unsent: ByteBuffer(), closes: false), at: now, by: &responder)
            let asked = connection.handle(.bytes(ByteBuffer(string: request)), at: now, by: &responder)
            let fetches = asked.compactMap { if case .fetch(let request, let number) = $0 { (request, number) } else { nil } }
            #expect(fetches.count == 1 && !asked.contains { if case .send = $0 { true } else { false } })
            let (wanted, number) = try #require(fetches.first)
            for work in wanted.signatures { work.run() }
            let answered = connection.handle(.upstream(.signed, number: number), at: now, by: &responder)
            let sent = answered.compactMap { if case .send(let bytes, _) = $0 { String(buffer: bytes) } else { nil } }
            #expect(sent.count == 1 && sent[0].contains("Location: http://a.example/s1/\(link)?t\r\n"), "\(sent)")
        }
    }

    @Test func `a stream of HTTP/2 awaits the signature of a head and of a body, and others go on`() throws {
        let signer = SlowSigner()
        signer.prepare("http://a.example/s1/known")
        let rig = try HTTP2Rig(Self.setup(signer, alone: true), signing: SigningQueue())
        rig.wire = []
        let body = #"{"video": "http://s1.origin-cluster/body/a.ts"}"#
        rig.send(HTTP2Client.get("/s1/head/a.ts", stream: 1))
        rig.send(HTTP2Client.headers(0, stream: 3, HTTP2Client.block(HTTP2Client.request("/origin", method: "POST"))))
        rig.send(HTTP2Client.frame(0, 1, stream: 3, [UInt8](latin1: body)))
        rig.send(HTTP2Client.get("/s1/known/a.ts", stream: 5))
        let first = try rig.answers()
        #expect(first.keys.sorted() == [5])
        #expect(rig.connection.fetches.map(\.stream) == [1, 3])
        for fetch in rig.connection.fetches { for work in fetch.request.signatures { work.run() } }
        for stream in [3, 1] as [UInt32] { rig.give(.signed, for: stream) }
        let answers = try rig.answers()
        #expect(answers[1]?["location"] == "http://a.example/s1/head/a.ts?t")
        #expect(answers[3]?["location"] == "http://a.example/s1/body/a.ts?t")
    }

    private final class Made: Sendable {
        let numbers = Mutex<[UInt64]>([])
    }

    private struct Ready: Upstream {
        func fetch(_ request: UpstreamRequest, on loop: any EventLoop) -> EventLoopFuture<UpstreamContent> {
            loop.makeSucceededFuture(.signed)
        }
    }

    @Test func `regression: a manifest whose signatures find no room is refused, and not signed on the loop`() async throws {
        let (queue, gate) = (SigningQueue(), DispatchSemaphore(value: 0))
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        func work(_ number: Int) -> SignatureWork {
            SignatureWork(key: .init(high: UInt64(number), low: 0)) { if number == 0 { gate.wait() } }
        }
        let waiting = (0..<SigningQueue.maximum).map { queue.prepare([work($0)], on: loop) }
        let slow = SlowLoop(
            responder: try Self.responder(Self.setup(SlowSigner()), queue), limits: Limits(), bodies: BodyMemory(limit: .max))
        slow.upstream = Ready()
        let source = ManifestSource(key: [1], path: [0x2F]) { .init(roots: [], urls: []) }
        func fetched(_ number: Int) -> EventLoopFuture<UpstreamContent?> {
            slow.fetch(UpstreamRequest(target: [], source: source, signatures: [work(number)]), on: loop)
        }
        guard case .refused(.busy)? = try await fetched(SigningQueue.maximum).get() else {
            Issue.record("it would be signed on the loop")
            return
        }
        // One that is under way is waited for.
        let joined = fetched(7)
        gate.signal()
        for future in waiting { try await future.get() }
        guard case .signed? = try await joined.get() else {
            Issue.record("not waited for")
            return
        }
    }

    @Test func `the same signature is made once for all who wait, and beyond the limit none is`() async throws {
        let queue = SigningQueue()
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let gate = DispatchSemaphore(value: 0)
        let made = Made()
        func work(_ number: UInt64) -> SignatureWork {
            SignatureWork(key: .init(high: number, low: 0)) {
                if number == 0 { gate.wait() }
                made.numbers.withLock { $0.append(number) }
            }
        }
        var waiting = [queue.prepare([work(0)], on: loop)]
        for _ in 0..<3 { waiting.append(queue.prepare([work(1), work(2)], on: loop)) }
        for number in 3..<UInt64(SigningQueue.maximum) { waiting.append(queue.prepare([work(number)], on: loop)) }
        #expect(!queue.hasRoom)
        await #expect(throws: (any Error).self) { try await queue.prepare([work(9999)], on: loop).get() }
        // Who waits for one that is under way needs no room.
        waiting.append(queue.prepare([work(1)], on: loop))
        gate.signal()
        for future in waiting { try await future.get() }
        #expect(made.numbers.withLock { $0 } == Array(0..<UInt64(SigningQueue.maximum)))
        #expect(queue.hasRoom)
    }
}
