import NIOCore
import Steering

@testable import Edge

/// A connection as a value, with a client that remembers what it asked and got. A copy goes its own way.
struct ConnectionModel {
    /// What a client, its transport, an upstream, the clock or the node may do.
    enum Step: CaseIterable {
        case asks, asksForLast
        /// The first part of a request, or the rest of one.
        case asksHalf
        case asksByBody
        /// A request whose answer an upstream has, and one behind it, in one read.
        case asksUpstream
        /// A page that is more than a client may leave untaken, and a request behind it, in one read.
        case asksForMuch
        case endsInput, takesAll, upstreamAnswers, deadlineComes, nodeDrains
    }

    struct Received: Equatable {
        let status: Int
        let closes: Bool
        let isOf: String
    }

    private(set) var connection: Connection
    private(set) var responder: Responder
    private(set) var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
    /// What each whole request is answered with, if it is.
    private(set) var asked: [String] = []
    private(set) var received: [Received] = []
    private(set) var unsent: [Int] = []
    private(set) var fetched: [(number: Int, target: String)] = []
    private(set) var inputHasEnded = false
    private(set) var outputHasEnded = false
    private(set) var isClosed = false
    private(set) var isReading = true
    private(set) var awaitsResume = false
    /// A deadline has closed it while the client had answers to take.
    private(set) var wasCut = false
    /// What went against the rules.
    private(set) var faults: [String] = []
    /// The rest of a request that is under way, and what answers it.
    private var rest: (text: String, answer: String)?
    private var count = 0
    private var isPassingDeadline = false

    init() throws {
        let table = try Setup().table()
        var router = Router(pages: [ConnectionModel.page])
        router.add("/upstream", Router.Route(resource: .upstream, methods: .reading, isFast: false))
        responder = Responder(
            table: table, sequences: SequenceBook().set(for: table), pages: [ConnectionModel.page], router: router, clock: { 784_111_777 })
        connection = Connection(of: .unknown, limits: Limits(), bodies: BodyMemory(limit: .max), at: now)
        handle(.opened(unsent: ByteBuffer(), closes: false))
    }

    private static let page = EdgePage(
        path: "/much", type: "much", body: ByteBuffer(repeating: 0x78, count: Connection.maximumUnsent + 1), policy: nil)

    /// Whether a step changes anything that is worth a look.
    func can(_ step: Step) -> Bool {
        switch step {
        case .asks, .asksForLast, .asksByBody, .asksUpstream, .asksForMuch: !inputHasEnded && rest == nil
        case .asksHalf, .endsInput: !inputHasEnded
        case .takesAll: !unsent.isEmpty
        case .upstreamAnswers: !fetched.isEmpty
        case .deadlineComes: true
        case .nodeDrains: true
        }
    }

    mutating func take(_ step: Step) {
        switch step {
        case .asks: ask(request("/\(next())"))
        case .asksForLast: ask(request("/\(next())", "Connection: close"))
        case .asksHalf: askHalf()
        case .asksByBody:
            let answer = atCDN("/\(next())")
            let body = "\"http://s1.origin-cluster/\(count)\""
            handle(bytes: "POST /origin HTTP/1.1\r\nHost: b\r\nContent-Length: \(body.utf8.count)\r\n\r\n")
            rest = (body, answer)
        case .asksUpstream: ask([("GET /upstream?\(next()) HTTP/1.1\r\nHost: b\r\n\r\n", "/upstream?\(count)"), request("/\(next())")])
        case .asksForMuch: ask([("GET /much HTTP/1.1\r\nHost: b\r\n\r\n", "much"), request("/\(next())")])
        case .endsInput:
            inputHasEnded = true
            handle(.inputEnded)
        case .takesAll: takeAll()
        case .upstreamAnswers: answerUpstream()
        case .deadlineComes: passDeadline()
        case .nodeDrains: handle(.drain)
        }
        comeBack()
    }

    // MARK: Steps

    private mutating func next() -> Int {
        count += 1
        return count
    }

    private func request(_ path: String, _ fields: String...) -> (String, String) {
        (HeadVector.head("GET /s1\(path) HTTP/1.1", ["Host: b"] + fields), atCDN(path))
    }

    private mutating func ask(_ requests: (text: String, answer: String)...) { ask(requests) }

    private mutating func ask(_ requests: [(text: String, answer: String)]) {
        asked += requests.map(\.answer)
        handle(bytes: requests.map(\.text).joined())
    }

    private mutating func askHalf() {
        if let (text, answer) = rest {
            rest = nil
            ask((text, answer))
        } else {
            let (text, answer) = request("/\(next())")
            rest = (String(text.dropFirst(12)), answer)
            handle(bytes: String(text.prefix(12)))
        }
    }

    private mutating func handle(bytes: String) { handle(.bytes(ByteBuffer(string: bytes))) }

    mutating func takeAll() {
        let counts = unsent
        unsent = []
        for count in counts { handle(.sent(count)) }
        comeBack()
    }

    /// The last fetch is answered, again if it has been.
    mutating func answerUpstream() {
        guard let last = fetched.last else { return }
        handle(.upstream(.page(EdgePage(path: "", type: last.target, body: ByteBuffer(string: "x"), policy: nil)), number: last.number))
        comeBack()
    }

    mutating func passDeadline() {
        now = max(now, connection.deadline)
        isPassingDeadline = true
        handle(.deadline)
        isPassingDeadline = false
        comeBack()
    }

    private mutating func comeBack() {
        guard awaitsResume else { return }
        awaitsResume = false
        handle(.resumed)
    }

    // MARK: Actions

    private mutating func handle(_ event: Connection.Event) {
        let wasClosed = isClosed
        for action in connection.handle(event, at: now, by: &responder) { carryOut(action) }
        if wasClosed, connection.phase != .closed { faults.append("it came back to life") }
        if !responder.writer.bytes.isEmpty { faults.append("an answer is left for the next connection") }
    }

    private mutating func carryOut(_ action: Connection.Action) {
        if isClosed { faults.append("\(action) after the close") }
        switch action {
        case .send(let bytes, let attachment):
            if outputHasEnded { faults.append("bytes after the end") }
            unsent.append(bytes.readableBytes + (attachment?.readableBytes ?? 0))
            read(String(buffer: bytes))
        case .stopReading, .startReading:
            if isReading == (action == .startReading) { faults.append("\(action) twice") }
            isReading = action == .startReading
        case .resumeLater: awaitsResume = true
        case .fetch(let request, let number):
            fetched.append((number, String(decoding: request.target, as: UTF8.self)))
            let place = asked.firstIndex(of: fetched.last?.target ?? "")
            if received.count != place { faults.append("a fetch with \(received.count) answers sent, its own is number \(place ?? -1)") }
        case .closeOutput:
            if outputHasEnded { faults.append("a second end") }
            outputHasEnded = true
        case .close:
            isClosed = true
            guard !unsent.isEmpty else { break }
            if isPassingDeadline { wasCut = true } else { faults.append("closed before the client had its answers") }
        }
    }

    /// Takes answers apart: their bodies are attached, or problem documents.
    private mutating func read(_ text: String) {
        for answer in text.split(separator: "HTTP/1.1 ") {
            let fields = answer.split(separator: "\r\n")
            func value(_ name: String) -> String? {
                fields.first { $0.hasPrefix(name + ": ") }.map { String($0.dropFirst(name.count + 2)) }
            }
            if received.last?.closes == true { faults.append("an answer after the last") }
            received.append(
                Received(
                    status: Int(answer.prefix(3)) ?? 0, closes: value("Connection") == "close",
                    isOf: value("Location") ?? value("Content-Type") ?? ""))
        }
    }
}
