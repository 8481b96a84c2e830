/// Why a stream or a connection of HTTP/2 is ended: what a client did wrong, by the names that metrics show.
public enum HTTP2Refusal: String, Error, CaseIterable, Sendable {
    // Of a connection.

    /// No preface, or no SETTINGS behind it (RFC 9113 §3.4).
    case preface = "bad-preface"
    /// A frame longer than it may be, or shorter than its fields.
    case frameSize = "frame-size"
    /// A frame or a setting where or as it may not be.
    case frame = "bad-frame"
    case streamNumber = "bad-stream-number"
    /// A frame for a stream that is closed.
    case closedStream = "closed-stream"
    case flowControl = "flow-control"
    /// A header block that is no HPACK.
    case compression = "bad-compression"
    /// A header block that unpacks to many times what may be asked.
    case headerBomb = "header-bomb"
    /// A header block in too many pieces, or too large.
    case continuationFlood = "continuation-flood"
    case settingsFlood = "settings-flood"
    case pingFlood = "ping-flood"
    /// Requests that are reset as soon as they are made.
    case resetFlood = "reset-flood"
    case emptyFrameFlood = "empty-frame-flood"
    /// Other frames that ask for nothing.
    case frameFlood = "frame-flood"
    /// Requests that are no requests, one after the other.
    case errorFlood = "error-flood"
    /// A frame or header block that did not end in time.
    case headTimeout = "head-timeout"

    // Of a stream.

    /// Pseudo-header or other fields that no request may have (§8.1.1, §8.2, §8.3).
    case malformed = "malformed-request"
    /// A body that is not as long as it was said to be.
    case bodyLength = "body-length"
    /// More streams at once than were allowed.
    case streams = "too-many-streams"
    /// The client did not let its answer be sent in time.
    case windowTimeout = "window-timeout"
    /// A frame for one stream that has a wrong length or value.
    case streamFrame = "bad-stream-frame"

    /// What the client is told (§7).
    var code: HTTP2Code {
        switch self {
        case .preface, .frame, .streamNumber, .malformed, .bodyLength, .streamFrame: .protocolError
        case .frameSize: .frameSizeError
        case .closedStream: .streamClosed
        case .flowControl: .flowControlError
        case .compression: .compressionError
        case .streams: .refusedStream
        case .windowTimeout: .cancel
        case .headTimeout: .noError
        case .headerBomb, .continuationFlood, .settingsFlood, .pingFlood, .resetFlood, .emptyFrameFlood, .frameFlood, .errorFlood:
            .enhanceYourCalm
        }
    }

    /// Its place among all cases.
    public var index: Int { HTTP2Refusal.allCases.firstIndex(of: self) ?? 0 }
}

/// Error codes of RFC 9113 §7.
enum HTTP2Code: UInt32 {
    case noError = 0
    case protocolError, internalError, flowControlError, settingsTimeout, streamClosed, frameSizeError, refusedStream, cancel
    case compressionError, connectError, enhanceYourCalm
}

/// What connections of HTTP/2 came to.
public struct HTTP2Counts: Sendable, Equatable {
    /// Connections that began.
    public internal(set) var connections: UInt64 = 0
    /// Requests that were answered.
    public internal(set) var answers: UInt64 = 0
    /// By the place of the refusal among all.
    private var refusals = [UInt64](repeating: 0, count: HTTP2Refusal.allCases.count)

    mutating func count(_ refusal: HTTP2Refusal) { refusals[refusal.index] += 1 }

    public func refused(_ refusal: HTTP2Refusal) -> UInt64 { refusals[refusal.index] }

    /// Adds another thread's.
    mutating func add(_ other: HTTP2Counts) {
        connections += other.connections
        answers += other.answers
        for index in refusals.indices { refusals[index] += other.refusals[index] }
    }
}
