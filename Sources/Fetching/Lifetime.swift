import NIOCore
import NIOHTTP1

/// How long an answer may be kept, and whether anybody but who asked may have it (RFC 9111 §3, §4.2, §5.2; RFC 5861).
struct Lifetime: Equatable {
    /// Whether others may have it.
    var isShared = true
    /// Seconds until it is asked for again.
    var fresh = 0
    /// Seconds after that in which it is better than nothing.
    var stale = 0

    /// Of an answer that does not say: enough that a crowd asks once.
    static let unsaid = 2
    /// Nothing is kept for longer after its time.
    static let longestStale = 3600
    /// Where nothing forbids it.
    static let usualStale = 60

    /// The parts of a request that answers may depend on, and that no request of ours has.
    private static let understood: Set<String> = [
        "accept-encoding", "origin", "access-control-request-method", "access-control-request-headers",
    ]

    init(_ headers: HTTPHeaders, atMost longest: Int) {
        let directives = Lifetime.directives(headers[canonicalForm: "Cache-Control"].map(String.init))
        let vary = headers[canonicalForm: "Vary"].map { $0.lowercased() }
        isShared =
            directives["private"] == nil && directives["no-store"] == nil && !headers.contains(name: "Set-Cookie")
            && vary.allSatisfy(Lifetime.understood.contains)
        let mustAsk = ["no-cache", "must-revalidate", "proxy-revalidate", "s-maxage"].contains { directives[$0] != nil }
        // What is no number is ignored, of several the first counts (RFC 9111 §5.1).
        let age = headers[canonicalForm: "Age"].first.flatMap { Lifetime.seconds(String($0)) } ?? 0
        let said = directives["s-maxage"] ?? directives["max-age"]
        // What does not parse is stale already (RFC 9111 §4.2.1).
        let lifetime = said.map { Lifetime.seconds($0) ?? 0 } ?? Lifetime.untilExpiry(headers) ?? Lifetime.unsaid
        fresh = directives["no-cache"] != nil ? 0 : min(max(0, lifetime - age), longest)
        let saidStale = directives["stale-if-error"].flatMap { Lifetime.seconds($0) }
        stale = min(saidStale ?? (mustAsk ? 0 : Lifetime.usualStale), Lifetime.longestStale)
    }

    /// Seconds between the answer's own times, whatever the clocks; nil where it does not say (RFC 9111 §5.3).
    private static func untilExpiry(_ headers: HTTPHeaders) -> Int? {
        guard let expires = headers.first(name: "Expires") else { return nil }
        // What is no time, `0` for instance, is over.
        guard let end = HTTPDate.seconds(expires) else { return 0 }
        return headers.first(name: "Date").flatMap(HTTPDate.seconds).map { max(0, end - $0) }
    }

    private static func seconds(_ text: String) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
        return Int(text) ?? .max
    }

    /// Values without their quotes, by name in lower case; the first of a name counts.
    private static func directives(_ parts: [String]) -> [String: String] {
        var directives: [String: String] = [:]
        for part in parts {
            let sides = part.split(separator: "=", maxSplits: 1).map(String.init)
            guard let name = sides.first?.lowercased().filter({ $0 != " " }), directives[name] == nil else { continue }
            directives[name] = sides.count > 1 ? sides[1].filter { $0 != "\"" && $0 != " " } : ""
        }
        return directives
    }
}
