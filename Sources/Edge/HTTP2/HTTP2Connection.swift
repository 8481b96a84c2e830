import NIOCore
import Steering

/// One client's connection of HTTP/2 (RFC 9113) as a value without a socket: bytes in, bytes of answers out, the time is an argument.
///
/// Both paths have it: the fast loop as long as its requests are plain, the slow path for bodies, pages, JSON, what has to be fetched, and
/// clients that do not take their answers. It moves between two calls, with everything it knows.
///
/// A client's memory is bounded: a frame or header block that is not whole, the table of its fields, `maximumStreams` streams, bodies by
/// `Limits` and `BodyMemory`. Its work is bounded by an allowance (`spend`): frames that ask for nothing cost, requests and time give back.
final class HTTP2Connection: @unchecked Sendable {
    // Sendable unchecked: it has one owner at a time, which gives it away with the connection.

    /// Streams that a client may have open at once.
    static let maximumStreams = 100
    /// Bytes that a client may send before it is told that more may come (§6.9.2).
    static let receiveWindow = 65_535
    /// CONTINUATION frames of one header block.
    static let maximumContinuations = 32
    /// Bytes of answers that are made before those are sent.
    static let maximumOutput = 64 * 1024

    let peer: ClientAddress
    let limits: Limits
    var decoder = HPACKDecoder()
    /// Received and not read: a frame that is not whole, or all that waits until answers are taken.
    var input: [UInt8] = []
    var hasPreface = false
    var hasSettings = false
    /// Its own SETTINGS are written.
    var hasBegun = false
    /// A header block has been written.
    var hasAnswered = false

    /// A header block whose end is awaited; the stream's number, its flags, and pieces so far.
    var block: [UInt8] = []
    var blockStream: UInt32?
    var blockEndsStream = false
    var continuations = 0

    /// The highest number that the client has used.
    var lastStream: UInt32 = 0
    /// Streams that are open: a body or an upstream is awaited, or the client has not let its answer be sent.
    var streams: [HTTP2Stream] = []
    /// The last streams that were closed, in a ring.
    var closed: [UInt32] = []
    var closedNext = 0
    /// Of them those that this side has reset: what the client had sent before it knew is passed over (§5.1).
    var resetHere: [UInt32] = []
    var resetNext = 0

    /// Bytes that may be sent, to all streams and to one that begins.
    var sendWindow = 65_535
    var initialWindow = 65_535
    /// Bytes that the client may send.
    var windowLeft = HTTP2Connection.receiveWindow

    var allowance = HTTP2Connection.fullAllowance
    var allowanceSecond = Int.min
    /// A request that the fast path does not answer.
    var deferred: DeferredRequest?
    /// The fast path is to hand it over.
    var needsSlowPath = false
    /// Answers wait to be taken; nothing more is read.
    var isPaused = false
    /// Its end was said: nothing is read any more, and it is to be closed once everything is sent.
    var isOver = false
    /// The first of two goodbyes is said, and the last stream that is answered once the second is (§6.8).
    var isDraining = false
    var lastAnswered: UInt32?
    /// What the slow path is to have fetched.
    var fetches: [Fetch] = []

    // Deadlines, on the slow path: the fast loop has its own for a silent connection, and keeps no partial request.
    var idleDeadline = NIODeadline.distantFuture
    var partDeadline: NIODeadline?
    var drainDeadline: NIODeadline?

    struct DeferredRequest {
        let stream: UInt32
        let head: RequestHead
        let text: [UInt8]
        let endsStream: Bool
    }

    struct Fetch {
        let request: UpstreamRequest
        let stream: UInt32
    }

    init(of peer: ClientAddress, limits: Limits) {
        self.peer = peer
        self.limits = limits
    }

    /// When and where it is asked.
    struct Turn {
        /// Seconds since 1970, UTC.
        let second: Int
        let now: NIODeadline
        /// Nil on the fast path.
        let bodies: BodyMemory?
        /// Bytes of the writer at which answering waits.
        let maximumOutput: Int

        var isFast: Bool { bodies == nil }
    }

    // MARK: What its owner tells it

    /// Reads what has come; answers are in the responder's writer then.
    ///
    /// - Returns: whether a request was answered.
    @discardableResult
    func receive(
        _ bytes: borrowing Span<UInt8>, _ turn: Turn, by responder: inout Responder, in workspace: inout HTTP2Workspace
    ) -> Bool {
        guard !isOver else { return false }
        begin(turn, &responder)
        let answers = responder.counters.http2.answers
        if input.isEmpty, !isPaused, deferred == nil {
            let used = read(bytes, turn, &responder, &workspace)
            keep(bytes, from: used)
        } else {
            keep(bytes, from: 0)
            readInput(turn, &responder, &workspace)
        }
        endIfDrained()
        return answers != responder.counters.http2.answers
    }

    /// Goes on when answers were taken, or on the slow path after the fast one.
    func resume(_ turn: Turn, by responder: inout Responder, in workspace: inout HTTP2Workspace) {
        guard !isOver else { return }
        begin(turn, &responder)
        isPaused = false
        needsSlowPath = false
        if let deferred {
            self.deferred = nil
            answer(
                deferred.head, deferred.text.span, on: deferred.stream, endsStream: deferred.endsStream, turn, &responder, &workspace)
        }
        sendBodies(turn, &responder)
        readInput(turn, &responder, &workspace)
        endIfDrained()
    }

    private func keep(_ bytes: borrowing Span<UInt8>, from used: Int) {
        guard !isOver, used < bytes.count else { return }
        // The bytes are copied during the call.
        unsafe bytes.extracting(used..<bytes.count).withUnsafeBufferPointer { unsafe input.append(contentsOf: $0) }
    }

    private func readInput(_ turn: Turn, _ responder: inout Responder, _ workspace: inout HTTP2Workspace) {
        guard !input.isEmpty, !isPaused, !isOver else { return }
        // Taken out for the call: it is read while the connection changes.
        var bytes: [UInt8] = []
        swap(&bytes, &input)
        let used = read(bytes.span, turn, &responder, &workspace)
        if !isOver, used < bytes.count { input.append(contentsOf: bytes[used...]) }
    }

    /// The server's preface: SETTINGS, before anything else (§3.4).
    func begin(_ turn: Turn, _ responder: inout Responder) {
        guard !hasBegun else { return }
        hasBegun = true
        responder.counters.http2.connections += 1
        responder.writer.bytes.appendFrame(.settings, stream: 0, length: 12)
        responder.writer.bytes.appendSetting(.maxConcurrentStreams, HTTP2Connection.maximumStreams)
        // Of each field 32 bytes more count than its text (§6.5.2).
        responder.writer.bytes.appendSetting(.maxHeaderListSize, limits.head + limits.target + 32 * limits.fields)
    }

    // MARK: Frames that ask for nothing

    static let fullAllowance = 1000
    static let costOfReset = 8
    private static let allowancePerSecond = 50

    func regain(_ count: Int) { allowance = min(HTTP2Connection.fullAllowance, allowance + count) }

    func regain(until second: Int) {
        let passed = max(0, min(second &- max(allowanceSecond, 0), 20))
        allowanceSecond = second
        if passed > 0 { regain(passed * HTTP2Connection.allowancePerSecond) }
    }

    func spend(_ count: Int, on flood: HTTP2Refusal) throws(HTTP2Refusal) {
        allowance -= count
        if allowance < 0 { throw flood }
    }
}
