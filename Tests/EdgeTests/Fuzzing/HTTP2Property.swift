import NIOCore
import Steering

@testable import Edge

/// What holds for a connection of HTTP/2 whatever its client sends, however that is cut, and whatever happens in between.
///
/// Every frame that comes out is one that a strict client takes (`HTTP2Reader`), every request gets one answer or one reset, memory is
/// bounded, and when nothing more comes the connection ends.
struct HTTP2Property {
    private let table: RoutingTable
    private let pages: [EdgePage]
    private let router: Router

    init() throws {
        table = try Setup(every: 3, links: true, steers: true).table()
        // Two of them are more than a connection's first window.
        pages = [EdgePage(path: "/page", type: "text/plain", body: ByteBuffer(bytes: [UInt8](repeating: 65, count: 40_000)), policy: nil)]
        var router = Router(pages: pages)
        router.add("/fetched", .init(resource: .upstream, methods: .reading, isFast: false))
        self.router = router
    }

    /// What is wrong with the conversation that `input` describes; nil when nothing is. The first byte says what the others are: bytes of
    /// the connection, or steps of a client and of what is around it.
    func fault(_ input: [UInt8]) -> String? {
        guard let mode = input.first else { return nil }
        return mode & 1 == 0 ? faultOfBytes(input[1...], mode) : faultOfSteps(input[1...], mode)
    }

    private func talk(room: Int = .max, isFast: Bool = false) -> HTTP2Talk {
        let responder = Responder(
            table: table, sequences: SequenceBook().set(for: table), pages: pages, router: router, clock: { 784_111_777 })
        return HTTP2Talk(responder, room: room, isFast: isFast)
    }

    // MARK: Bytes

    /// However they are cut, and whichever path reads them first, the same is said.
    private func faultOfBytes(_ bytes: ArraySlice<UInt8>, _ mode: UInt8) -> String? {
        let sent = (mode & 2 == 0 ? HTTP2Talk.hello : []) + bytes
        let whole = talk()
        whole.say(sent)
        whole.deliver(piece: sent.count)
        let cut = talk(isFast: mode & 4 == 0)
        var start = 0
        for end in PathProperty.ends(sent) {
            cut.say(Array(sent[start..<end]))
            cut.deliver(piece: mode & 8 == 0 ? .max : 1 + Int(mode >> 4))
            start = end
        }
        if whole.wire != cut.wire { return "whole it says \(shown(whole.wire)), cut \(shown(cut.wire))" }
        if whole.connection.isOver != cut.connection.isOver { return "it ends or not, as it is cut" }
        return whole.finish() ?? cut.finish()
    }

    // MARK: Steps

    private enum Step: UInt8, CaseIterable {
        case request, requestInPieces, data, trailers, reset, settings, window, ping, priority, goAway, frame, raw
        case deliver, resume, drain, give, advance, room
    }

    private static let requests: [[(String, String)]] = [
        [(":method", "GET"), (":scheme", "https"), (":path", "/s1/a"), (":authority", "b")],
        [(":method", "POST"), (":scheme", "https"), (":path", "/origin"), (":authority", "b")],
        [(":method", "GET"), (":scheme", "http"), (":path", "/page"), (":authority", "b")],
        [(":method", "GET"), (":scheme", "https"), (":path", "/fetched"), (":authority", "b")],
        [(":method", "POST"), (":scheme", "https"), (":path", "/origin"), (":authority", "b"), ("expect", "100-continue")],
        [(":method", "GET"), (":scheme", "https"), (":path", "/s1/a"), (":authority", "b"), ("accept", "application/json")],
        [(":method", "HEAD"), (":scheme", "https"), (":path", "/page"), (":authority", "b"), ("cookie", "a"), ("cookie", "b")],
        [(":method", "CONNECT"), (":authority", "b:1")], [(":method", "GET"), ("X", "y")],
        [(":method", "POST"), (":scheme", "https"), (":path", "/origin"), (":authority", "b"), ("content-length", "39")],
    ]
    private static let video = Array("{\"video\": \"http://s1.origin-cluster/a\"}".utf8)

    private func faultOfSteps(_ script: ArraySlice<UInt8>, _ mode: UInt8) -> String? {
        let talk = talk(room: mode & 2 == 0 ? 64 * 1024 : 1 + 100 * Int(mode >> 4), isFast: mode & 4 == 0)
        talk.say(HTTP2Talk.hello)
        var rest = script
        while let step = rest.popFirst(), talk.fault == nil {
            perform(Step.allCases[Int(step) % Step.allCases.count], value: rest.popFirst() ?? 0, &rest, talk)
        }
        talk.deliver(piece: .max)
        return talk.finish()
    }

    /// Streams are few, so that steps meet: the upper half of `value` chooses one, the lower half what is said.
    private func perform(_ step: Step, value: UInt8, _ rest: inout ArraySlice<UInt8>, _ talk: HTTP2Talk) {
        let stream = 2 * UInt32(value >> 4) + 1
        let kind = Int(value & 15)
        switch step {
        case .request:
            let fields = HTTP2Property.requests[kind % HTTP2Property.requests.count]
            talk.sayHeaders(fields, next: value & 0x80 == 0, stream, flags: (rest.popFirst() ?? 0) & 0x29 | 4)
        case .requestInPieces:
            let block = HTTP2Talk.block(HTTP2Property.requests[kind % HTTP2Property.requests.count])
            let cut = Int(rest.popFirst() ?? 0) % (block.count + 1)
            let number = talk.nextStream()
            talk.say(HTTP2Talk.frame(1, value >> 7, stream: number, Array(block[..<cut])))
            talk.say(HTTP2Talk.frame(9, value >> 4 & 4, stream: number, Array(block[cut...])))
        case .data where kind < 8: talk.say(HTTP2Talk.frame(0, UInt8(kind & 1), stream: stream, HTTP2Property.video))
        case .data:
            let count = Int(rest.popFirst() ?? 0) * 64
            talk.say(HTTP2Talk.frame(0, UInt8(kind & 9), stream: stream, [UInt8](repeating: UInt8(kind), count: count)))
        case .trailers: talk.say(HTTP2Talk.frame(1, UInt8(kind) | 4, stream: stream, HTTP2Talk.block([("x", "y")])))
        case .reset: talk.say(HTTP2Talk.frame(3, 0, stream: stream, [0, 0, 0, 8]))
        case .settings:
            let setting = [0, UInt8(kind), 0, 0, rest.popFirst() ?? 0, rest.popFirst() ?? 0]
            talk.say(HTTP2Talk.frame(4, 0, setting))
        case .window:
            let count = [value & 8 == 0 ? 0 : 0x7F, 0, rest.popFirst() ?? 0, rest.popFirst() ?? 0]
            talk.say(HTTP2Talk.frame(8, 0, stream: kind & 1 == 0 ? 0 : stream, count))
        case .ping: talk.say(HTTP2Talk.frame(6, UInt8(kind & 1), [1, 2, 3, 4, 5, 6, 7, 8]))
        case .priority: talk.say(HTTP2Talk.frame(2, 0, stream: stream, [UInt8](repeating: UInt8(kind), count: kind == 4 ? 4 : 5)))
        case .goAway: talk.say(HTTP2Talk.frame(7, 0, [UInt8](repeating: 0, count: 8)))
        case .frame:
            let payload = Array(rest.prefix(kind))
            rest = rest.dropFirst(kind)
            talk.say(
                HTTP2Talk.frame(
                    rest.popFirst() ?? 0, rest.popFirst() ?? 0, stream: stream - 1 + (rest.popFirst() ?? 1 == 0 ? 0 : 1), payload))
        case .raw:
            talk.say(Array(rest.prefix(Int(value))))
            rest = rest.dropFirst(Int(value))
        case .deliver: talk.deliver(piece: value == 0 ? .max : Int(value))
        case .resume: talk.resume()
        case .drain: talk.drain()
        case .give: talk.give(succeeds: value & 1 == 0)
        case .advance: talk.advance(seconds: kind)
        case .room: talk.room = 1 + Int(value) * 300
        }
    }
}
