import Foundation
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import Edge

/// Whatever the scanner accepts, NIO's parser accepts with the same method, target, Host and framing. Smuggling lives in the difference.
@Suite struct HeadDifferentialTests {
    @Test func `NIO reads every accepted vector alike`() {
        var compared = 0
        for vector in [HeadVector].all { compared += compare(vector.bytes) }
        #expect(compared > 100)
    }

    @Test func `NIO reads every accepted mutation alike`() {
        var random = SplitMix64(for: "mutated heads against NIO")
        var compared = 0
        for _ in 0..<50_000 { compared += compare(HeadMutator.next(&random)) }
        #expect(compared > 5_000, "only \(compared) heads were comparable")
    }

    @Test(arguments: [
        "Content-Length:\t5", "Content-Length: 5\t", "Transfer-Encoding:\tchunked", "Transfer-Encoding: chunked\t", "Host:\tg\t",
    ])
    func `a tab beside a value that frames a message is read alike`(field: String) {
        _ = compare(Array(HeadVector.head(fields: field.hasPrefix("Host") ? [field] : ["Host: h", field]).utf8))
    }

    /// - Returns: 1 when the head was accepted and comparable.
    private func compare(_ bytes: [UInt8]) -> Int {
        var scanner = HeadScanner(limits: Limits())
        guard case .complete(let head) = scanner.scan(bytes.span), head.method != .other, isComparable(head, bytes) else { return 0 }
        guard let (other, hasEnded) = decoded(Array(bytes[..<head.length])) else {
            Issue.record("NIO refuses \(shown(bytes))")
            return 1
        }
        if head.method != .connect, hasEnded != (head.body == .none) {
            Issue.record("NIO frames \(shown(bytes)) otherwise than \(head.body)")
        }
        let own = ReadHead(head, bytes)
        // NIO leaves white space after a value, which RFC 9112 §5.1 excludes from it.
        let host = other.headers["host"].map { $0.trimmingCharacters(in: [" ", "\t"]) }
        let isSameHost: Bool
        let isSameTarget: Bool
        switch own.form {
        case .origin, .asterisk:
            isSameHost = host == (own.host.isEmpty ? [] : [own.host])
            isSameTarget = other.uri == own.target
        case .authority:
            isSameHost = host.count <= 1
            isSameTarget = other.uri == own.target
        case .absolute:
            isSameHost = host.count == 1 || (own.isHTTP10 && host.isEmpty)
            isSameTarget = ["http", "https"].contains {
                other.uri.lowercased().hasPrefix($0 + "://") && other.uri.dropFirst($0.count + 3) == own.host + own.target
            }
        }
        let isSame =
            isSameHost && isSameTarget && other.method.rawValue == own.method.rawValue
            && other.version == (own.isHTTP10 ? .http1_0 : .http1_1)
        if !isSame { Issue.record("NIO reads \(other.method) \(other.uri) \(host) in \(shown(bytes)), the scanner \(own)") }
        return 1
    }

    /// Versions and an Upgrade on which the two differ on purpose; Hosts that are no UTF-8 cannot be: they are ASCII.
    private func isComparable(_ head: RequestHead, _ bytes: [UInt8]) -> Bool {
        let text = bytes[..<head.length].latin1
        let line = text.unicodeScalars.drop { $0 == "\r" || $0 == "\n" }.prefix { $0 != "\r" }
        return (String(line).hasSuffix("HTTP/1.1") || String(line).hasSuffix("HTTP/1.0")) && !text.lowercased().contains("\nupgrade:")
    }

    /// The head as NIO reads it, and whether the message ends with it.
    private func decoded(_ bytes: [UInt8]) -> (HTTPRequestHead, hasEnded: Bool)? {
        let channel = EmbeddedChannel(handler: ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)))
        defer { _ = try? channel.finish() }
        guard (try? channel.writeInbound(ByteBuffer(bytes: bytes))) != nil,
            case .head(let head)? = try? channel.readInbound(as: HTTPServerRequestPart.self)
        else { return nil }
        if case .end? = try? channel.readInbound(as: HTTPServerRequestPart.self) { return (head, true) }
        return (head, false)
    }
}
