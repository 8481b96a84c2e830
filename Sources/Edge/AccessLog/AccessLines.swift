import Steering
import TLS

/// One thread's lines for the access log, until they are handed over. Allocates nothing: it formats into a buffer that is there.
struct AccessLines {
    /// Longer targets are cut: a line has a bound.
    static let maximumTargetBytes = 2048
    /// Each byte of a target can take six as JSON.
    private static let maximumLine = 6 * maximumTargetBytes + 1024

    private let log: AccessLog
    private var bytes = LineSink.makeBuffer()
    private var untilNext = 1
    private var second = Int.min
    private var time: [UInt8] = []

    init(_ log: AccessLog) { self.log = log }

    /// Adds a line, if it is this answer's turn.
    ///
    /// - Parameters:
    ///   - target: empty when no request could be read.
    ///   - now: seconds since 1970, UTC.
    mutating func add(
        _ answer: Answer, to method: RequestHead.Method, _ target: HeadRange, of source: borrowing Span<UInt8>,
        from client: ClientAddress, over transport: TransportNote = .plain, isHTTP2: Bool = false, _ table: RoutingTable, now: Int
    ) {
        untilNext -= 1
        guard untilNext <= 0 else { return }
        untilNext = log.configuration.every
        if bytes.count + AccessLines.maximumLine > LineSink.bufferBytes, !log.exchange(&bytes) { return log.countDropped(1) }
        if now != second {
            second = now
            time.removeAll(keepingCapacity: true)
            DateField.appendISO8601(now, to: &time)
        }
        append("{\"time\":\"")
        bytes += time
        append("\",\"client\":\"")
        let shown = log.configuration.masksClients ? client.prefix(client.isIPv4 ? 120 : 48) : client
        shown.append(to: &bytes)
        append("\",\"request\":\"")
        if !target.range.isEmpty {
            append(method.rawValue)
            bytes.append(0x20)
            append(escaping: target.range, of: source)
        }
        append("\",\"status\":")
        append(UInt64(clamping: answer.status))
        if case .redirect(let redirect) = answer {
            let decision = redirect.decision
            switch decision.target {
            case .origin: append(",\"target\":\"origin\",\"cdn\":null")
            case .cdn(let cdn):
                append(",\"target\":\"cdn\",\"cdn\":\"")
                append(table.catalog.cdns[cdn].name)
                append("\"")
            }
            if let rule = table.rule(of: decision) {
                append(",\"rule\":\"")
                append(rule)
                append("\"")
            }
            append(",\"sequence\":")
            append(decision.number)
        }
        if case .steering(let steering) = answer {
            append(steering.list, table)
            if let move = steering.move {
                append(",\"move\":\"")
                append(move.name)
                append("\"")
            }
            if let left = steering.left {
                append(",\"left\":\"")
                append(table.catalog.cdns[left].name)
                append("\"")
            }
        }
        if case .manifest(let manifest) = answer {
            append(",\"session\":")
            append(manifest.session)
            append(manifest.list, table)
        }
        let reason = answer.reason
        if !reason.isEmpty {
            append(",\"reason\":\"")
            append(reason)
            append("\"")
        }
        if case .tls(let version, let isResumed) = transport {
            append(version == .tls12 ? ",\"tls\":\"1.2\",\"resumed\":" : ",\"tls\":\"1.3\",\"resumed\":")
            append(isResumed ? "true" : "false")
        }
        if isHTTP2 { append(",\"protocol\":\"h2\"") }
        append("}\n")
    }

    private mutating func append(_ list: SteeringList, _ table: RoutingTable) {
        append(",\"pathways\":")
        list.appendPathways(to: &bytes, table)
        append(",\"ttl\":")
        append(UInt64(clamping: list.ttl))
        if let rule = table.rule(of: list) {
            append(",\"rule\":\"")
            append(rule)
            append("\"")
        }
    }

    /// Hands over what there is.
    mutating func flush() { if !bytes.isEmpty { _ = log.exchange(&bytes) } }

    private mutating func append(_ text: String) { bytes += text.utf8 }

    private mutating func append(_ number: UInt64) {
        var power: UInt64 = 1
        while number / power > 9 { power *= 10 }
        while power > 0 {
            bytes.append(0x30 &+ UInt8(truncatingIfNeeded: number / power % 10))
            power /= 10
        }
    }

    private mutating func append(escaping target: Range<Int>, of source: borrowing Span<UInt8>) {
        for index in target.prefix(AccessLines.maximumTargetBytes) {
            let byte = source[index]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            } else if (0x20...0x7E).contains(byte) {
                bytes.append(byte)
            } else {
                append("\\u00")
                bytes.append(AccessLines.digits[Int(byte >> 4)])
                bytes.append(AccessLines.digits[Int(byte & 15)])
            }
        }
        if target.count > AccessLines.maximumTargetBytes { append("…") }
    }

    private static let digits = Array("0123456789abcdef".utf8)
}
