import Foundation
import Steering

/// A catalog in the making, for tests that care about a few of its settings.
struct Setup {
    var servers = ["s[1-3]"]
    var domains = ["origin-cluster"]
    /// N: 2 sends numbers 1, 3, 5… to the CDN and 2, 4, 6… to the origin.
    var every = 0
    /// Names and URLs.
    var cdns = [("cdn-a", "http://cdn.example.com")]
    var status = 301
    var keepsScheme = false
    var passes: [String] = []
    var links = false
    var steers = false
    var delivery = "redirect"
    /// By CDN, as JSON: how its links are signed.
    var signs: [String: String] = [:]
    var publicURL: String?
    /// As JSON.
    var rules = "[]"
    /// Nil: what `signs` says, shown.
    var signers: Signers?

    func table() throws -> RoutingTable {
        let list = { (texts: [String]) in Document.array(texts.map(Document.string)) }
        let document = Document.object([
            .init("version", .integer(1)),
            .init(
                "origin",
                .object([
                    .init("domains", list(domains)), .init("servers", list(servers)), .init("every", .integer(every)),
                    .init("keepScheme", .bool(keepsScheme)),
                ])),
            .init(
                "cdns",
                .array(
                    try cdns.map { name, url in
                        let sign = try signs[name].map { [Document.Member("sign", try Document(json: $0))] } ?? []
                        return .object([.init("name", .string(name)), .init("url", .string(url))] + sign)
                    })),
            .init(
                "redirect",
                .object([.init("status", .integer(status)), .init("passParameters", list(passes)), .init("links", .bool(links))])),
            .init(
                "steering", .object([.init("enabled", .bool(steers))] + (publicURL.map { [.init("publicUrl", .string($0))] } ?? []))),
            .init("delivery", .string(delivery)), .init("rules", try Document(json: rules)),
        ])
        let catalog = try Catalog(document)
        if let signers { return RoutingTable(catalog, revision: 1, signers: signers) }
        let shown = catalog.cdns.map { $0.sign.map { Signers.Signer.ready(ShownSigner(signing: $0)) } ?? .unneeded }
        return RoutingTable(catalog, revision: 1, signers: Signers([.unneeded] + shown))
    }
}

extension Document {
    init(json: String) throws { self = try JSONDecoder().decode(Document.self, from: Data(json.utf8)) }
}

/// Writes what a token would be good for, and for whom: `TOKEN-.s1.film.-192.0.2.1`.
private struct ShownSigner: LinkSigner {
    let signing: LinkSigning

    func capacity(_ length: Int) -> Int { length + 100 }

    func sign(_ url: inout OutputSpan<UInt8>, from start: Int, base: Int, for client: ClientAddress, second: Int) -> Range<Int> {
        let text = (start..<url.count).map { url.span[$0] }
        let whole = String(decoding: text, as: UTF8.self)
        let parts = whole.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        let path = "/" + parts[3].prefix { $0 != "?" }
        let covered =
            switch signing.coverage {
            case .file: path
            case .directory: path.split(separator: "/", omittingEmptySubsequences: false).dropLast().map { "\($0)/" }.joined()
            case .prefix: "/"
            }
        let token = "TOKEN-\(covered.replacing("/", with: "."))-\(client)"
        let host = parts[..<3].joined(separator: "/")
        let signed =
            signing.isInPath ? "\(host)/\(token)/\(parts[3])" : "\(whole)\(whole.contains("?") ? "&" : "?")\(signing.tokenName)=\(token)"
        url.removeLast(url.count - start)
        for byte in signed.utf8 { url.append(byte) }
        return start..<url.count
    }
}
