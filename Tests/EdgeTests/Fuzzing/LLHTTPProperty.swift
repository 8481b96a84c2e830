import Foundation
import NIOCore
import NIOEmbedded
import NIOHTTP1

@testable import Edge

/// Whatever the scanner accepts, NIO's parser accepts with the same method, target, Host and framing. Smuggling lives in the difference.
enum LLHTTPProperty {
    enum Verdict: Equatable {
        case alike
        /// The scanner refuses it, or the two differ on it on purpose.
        case notComparable
        case different(String)
    }

    static func verdict(_ bytes: [UInt8], limits: Limits = Limits()) -> Verdict {
        var scanner = HeadScanner(limits: limits)
        guard case .complete(let head) = scanner.scan(bytes.span), head.method != .other, isComparable(head, bytes) else {
            return .notComparable
        }
        guard let (other, hasEnded) = decoded(Array(bytes[..<head.length])) else { return .different("NIO refuses \(shown(bytes))") }
        if head.method != .connect, hasEnded != (head.body == .none) {
            return .different("NIO frames \(shown(bytes)) otherwise than \(head.body)")
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
        return isSame ? .alike : .different("NIO reads \(other.method) \(other.uri) \(host) in \(shown(bytes)), the scanner \(own)")
    }

    /// Versions and an Upgrade on which the two differ on purpose; Hosts that are no UTF-8 cannot be: they are ASCII.
    private static func isComparable(_ head: RequestHead, _ bytes: [UInt8]) -> Bool {
        let text = bytes[..<head.length].latin1
        let line = text.unicodeScalars.drop { $0 == "\r" || $0 == "\n" }.prefix { $0 != "\r" }
        return (String(line).hasSuffix("HTTP/1.1") || String(line).hasSuffix("HTTP/1.0")) && !text.lowercased().contains("\nupgrade:")
    }

    /// The head as NIO reads it, and whether the message ends with it.
    private static func decoded(_ bytes: [UInt8]) -> (HTTPRequestHead, hasEnded: Bool)? {
        let channel = EmbeddedChannel(handler: ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)))
        defer { _ = try? channel.finish() }
        guard (try? channel.writeInbound(ByteBuffer(bytes: bytes))) != nil,
            case .head(let head)? = try? channel.readInbound(as: HTTPServerRequestPart.self)
        else { return nil }
        if case .end? = try? channel.readInbound(as: HTTPServerRequestPart.self) { return (head, true) }
        return (head, false)
    }
}
