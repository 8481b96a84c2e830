import Foundation

@testable import Steering

extension Document {
    init(json: String) throws { self = try JSONDecoder().decode(Document.self, from: Data(json.utf8)) }

    /// A copy in which the value at a JSON pointer (without escapes) is another one; nil removes it.
    func setting(_ pointer: String, _ value: Document?) -> Document {
        setting(pointer.split(separator: "/").map(String.init)[...], value) ?? .null
    }

    private func setting(_ path: ArraySlice<String>, _ value: Document?) -> Document? {
        guard let key = path.first else { return value }
        switch self {
        case .object(var members):
            let index = members.firstIndex { $0.key == key } ?? members.count
            let old = index < members.count ? members[index].value : .object([])
            if index < members.count { members.remove(at: index) }
            if let new = old.setting(path.dropFirst(), value) { members.insert(Member(key, new), at: index) }
            return .object(members)
        case .array(var elements):
            let index = min(Int(key) ?? elements.count, elements.count)
            let old = index < elements.count ? elements.remove(at: index) : .object([])
            if let new = old.setting(path.dropFirst(), value) { elements.insert(new, at: index) }
            return .array(elements)
        default:
            return Document.object([]).setting(path, value)
        }
    }
}

extension Catalog {
    init(json: String) throws { try self.init(Document(json: json)) }

    /// The pointers of a document's faults, sorted; empty when it is a catalog.
    static func faultPointers(_ document: Document) -> [String] {
        do throws(CatalogFaults) {
            _ = try Catalog(document)
            return []
        } catch {
            return error.faults.map(\.pointer).sorted()
        }
    }
}

/// The example of DESIGN §4 without the keys of later versions.
enum Example {
    static let json = """
        {
          "version": 1,
          "origin":   { "domains": ["origin-cluster"], "servers": ["s[1-99]"], "scheme": "http", "every": 10, "scope": "all" },
          "cdns":     [ { "name": "cdn-a", "url": "http://cdn.example.com", "weight": 100, "enabled": true } ],
          "selection": { "strategy": "weighted" },
          "redirect": { "status": 301 }
        }
        """

    static func document() throws -> Document { try Document(json: json) }

    static func table() throws -> RoutingTable { RoutingTable(try Catalog(document()), revision: 1) }
}

/// A catalog in the making, for tests that care about a few of its settings.
struct Setup {
    struct CDN {
        var name: String
        var url: String
        var weight = 100
        var enabled = true
    }

    var domains = ["origin-cluster"]
    var servers = ["s[1-99]"]
    var scheme = "http"
    var every = 10
    var scope = "all"
    var cdns = [CDN(name: "cdn-0", url: "http://cdn.example.com")]
    /// The strategy is `rotate` with this M; nil means `weighted`.
    var rotate: Int?

    /// CDNs `cdn-0`, `cdn-1`… with these weights.
    static func cdns(weights: [Int]) -> [CDN] {
        weights.enumerated().map { CDN(name: "cdn-\($0.offset)", url: "http://cdn\($0.offset).example", weight: $0.element) }
    }

    var document: Document {
        let selection: [Document.Member] =
            rotate.map { [.init("strategy", .string("rotate")), .init("every", .integer($0))] } ?? [.init("strategy", .string("weighted"))]
        return .object([
            .init("version", .integer(1)),
            .init(
                "origin",
                .object([
                    .init("domains", .array(domains.map(Document.string))),
                    .init("servers", .array(servers.map(Document.string))),
                    .init("scheme", .string(scheme)),
                    .init("every", .integer(every)),
                    .init("scope", .string(scope)),
                ])),
            .init("cdns", .array(cdns.map(\.document))),
            .init("selection", .object(selection)),
        ])
    }

    func table() throws -> RoutingTable { RoutingTable(try Catalog(document), revision: 1) }
}

extension Setup.CDN {
    fileprivate var document: Document {
        .object([
            .init("name", .string(name)),
            .init("url", .string(url)),
            .init("weight", .integer(weight)),
            .init("enabled", .bool(enabled)),
        ])
    }
}
