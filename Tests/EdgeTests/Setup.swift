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
    /// As JSON.
    var rules = "[]"
    var signers = Signers.none

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
            .init("cdns", .array(cdns.map { .object([.init("name", .string($0.0)), .init("url", .string($0.1))]) })),
            .init(
                "redirect",
                .object([.init("status", .integer(status)), .init("passParameters", list(passes)), .init("links", .bool(links))])),
            .init("steering", .object([.init("enabled", .bool(steers))])),
            .init("delivery", .string(delivery)), .init("rules", try Document(json: rules)),
        ])
        return RoutingTable(try Catalog(document), revision: 1, signers: signers)
    }
}

extension Document {
    init(json: String) throws { self = try JSONDecoder().decode(Document.self, from: Data(json.utf8)) }
}
