import HTTPTypes
import HummingbirdCore
import Steering

/// Which names the control plane answers to: a page of another site can point its own name at this address (DNS rebinding), and would then read
/// here as if it were ours. The browser still says that name in `Host`.
///
/// Names that nobody outside can own are always known: addresses, `localhost` and what ends in it, names without a dot, and those of a
/// Kubernetes service (`.svc`, `.cluster.local`).
public struct HostNames: Sendable {
    private let names: Set<String>

    /// - Parameter names: more names, without port, letter case apart.
    public init(_ names: [String]) { self.names = Set(names.map { HostNames.normalised($0) }) }

    /// Whether a text is a name that `init` takes.
    public static func isName(_ text: String) -> Bool {
        (1...253).contains(text.utf8.count) && text.utf8.allSatisfy(isNameByte) && ClientAddress(text) == nil
    }

    /// - Parameter host: of a `Host` field, without port.
    func knows(_ host: String) -> Bool {
        if host.hasPrefix("[") || ClientAddress(host) != nil { return true }
        let name = HostNames.normalised(host)
        return !name.contains(".") || names.contains(name)
            || [".localhost", ".svc", ".cluster.local"].contains { name.hasSuffix($0) }
    }

    /// The host in a `Host` field (RFC 9112 §3.2), without its port; nil when the field is malformed. An empty one is malformed here,
    /// since there is no request without an authority.
    static func host(in field: String) -> String? {
        let end: String.Index
        if field.hasPrefix("[") {
            guard let bracket = field.firstIndex(of: "]") else { return nil }
            let literal = field[field.index(after: field.startIndex)..<bracket]
            guard literal.contains(":"), ClientAddress(String(literal)) != nil else { return nil }
            end = field.index(after: bracket)
        } else {
            end = field.firstIndex(of: ":") ?? field.endIndex
            let name = field[..<end]
            guard (1...253).contains(name.utf8.count), name.utf8.allSatisfy(isNameByte) else { return nil }
        }
        guard end < field.endIndex else { return field }
        let port = field[field.index(after: end)...]
        guard field[end] == ":", port.utf8.count <= 5, port.utf8.allSatisfy({ (0x30...0x39).contains($0) }), (Int(port) ?? 0) <= 65535
        else { return nil }
        return String(field[..<end])
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
        default: false
        }
    }

    /// Lower case, without the dot that ends a full name.
    private static func normalised(_ name: String) -> String {
        let lower = name.lowercased()
        return lower.hasSuffix(".") ? String(lower.dropLast()) : lower
    }
}

extension HostNames {
    /// Whether a request names this server otherwise than it is known.
    ///
    /// - Throws: 400 for a head whose `Host` is missing, not one, or malformed.
    func isForeign(_ request: Request) throws(Problem) -> Bool {
        if let fault = request.headers[.hostFault] { throw Problem(.badRequest, "\(fault) (RFC 9112, section 3.2).") }
        guard let host = request.head.authority.flatMap(HostNames.host) else { return false }
        return !knows(host)
    }

    static func misdirected(_ request: Request) -> Problem {
        let name = request.head.authority.flatMap(HostNames.host) ?? ""
        return Problem(
            .misdirectedRequest,
            """
            This server is not known as \(name). Ask by its address or by localhost, or give the name in --admin-names \
            (BALANCER_ADMIN_NAMES).
            """)
    }
}
