import Foundation
import Testing

@testable import Steering

/// The sections of the catalog are declared in `Sources/Steering/Catalog`. What else tells of their keys is held against these tables: a key
/// that is missing in the OpenAPI document or in docs/catalog.md is named, as is one that says something else there.
@Suite struct CatalogSchemaTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    private static let sections = Catalog.section.form().schema

    private static func text(_ path: String) throws -> String {
        String(decoding: try Data(contentsOf: root.appending(path: path)), as: UTF8.self)
    }

    @Test(arguments: [("Catalog", OpenAPI.Use.output), ("CatalogInput", .input)])
    func `the OpenAPI document has every key with its kind, range and default, and no other`(name: String, use: OpenAPI.Use) throws {
        var document = OpenAPI(try Document(json: Self.text("Sources/COpenAPI/control-plane.json")))
        document.compare(Self.sections, name, use)
        #expect(document.differences == [])
    }

    @Test(arguments: ["origin", "cdns", "selection", "redirect", "failover"])
    func `what PATCH takes has every key of its section`(part: String) throws {
        var document = OpenAPI(try Document(json: Self.text("Sources/COpenAPI/control-plane.json")))
        let names = ["origin": "OriginPatch", "cdns": "CDNPatch", "selection": "SelectionPatch", "redirect": "RedirectPatch"]
        var section = try #require(Self.sections[part])
        if case .list(_, let element) = section { section = element }
        document.compare(section, names[part] ?? "FailoverPatch", .patch)
        #expect(document.differences == [])
    }

    @Test func `docs catalog has a row for every key, with its range and default`() throws {
        let page = try Page(Self.text("docs/catalog.md"))
        let every = try #require(page.tables["## Every key"])
        var missing = Page.missing(Self.sections, in: every, prefix: "")
        let probe = try #require(Self.sections["origin"]?["probe"])
        missing += Page.missing(probe, in: try #require(page.tables["## Health"]), prefix: "")
        let sign = try #require(Self.sections["origin"]?["sign"])
        missing += Page.missing(sign, in: try #require(page.tables["## Signed links"]), prefix: "")
        let rule = try #require(Self.sections["rules"])
        let rules = try #require(page.tables["## Rules"])
        missing += Page.missing(rule, in: rules, prefix: "", besides: ["name", "when"])
        let condition = try #require(rule["when"])
        missing += Page.missing(condition, in: rules, prefix: "")
        #expect(missing == [])
        for key in try #require(condition["hours"]).keys {
            #expect(page.hours.contains("`\(key.name)`") || page.hours.contains("\"\(key.name)\""))
        }
    }

    @Test func `a catalog with every key set is written as it was read`() throws {
        let document = try Document(
            json: """
                {"version": 1, "origin": {"domains": ["o"], "servers": ["s1"], "scheme": "https", "keepScheme": true, "every": 5,
                  "scope": "server", "probe": {"type": "http", "method": "GET", "path": "/p", "expect": [204], "host": "h",
                  "headers": {"A": "b"}, "playlist": "live", "interval": 6, "timeout": 3, "rise": 4, "fall": 5, "addresses": "ipv6"}, "sign": {"scheme": "hmac", "key": "k", "life": 60, "placement": "query", "expression": "$expires$uri",
                  "parameter": "p", "expiresParameter": "e", "encoding": "hex"}},
                 "cdns": [{"name": "a", "url": "http://a", "httpsUrl": "https://b:8443/c", "weight": 7, "enabled": false, "maxPerSecond": 8,
                  "sign": {"scheme": "akamai", "key": "k", "life": 61, "covers": "prefix", "placement": "path", "bindAddress": true},
                  "probe": {"type": "tcp", "interval": 1, "timeout": 1, "rise": 1, "fall": 1}}],
                 "selection": {"strategy": "hash", "on": "both", "viewer": "cookie:c"},
                 "redirect": {"status": 302, "links": true, "passParameters": ["CMCD"]},
                 "failover": {"panicThreshold": 0.25, "originLimit": 9, "passive": true},
                 "steering": {"enabled": true, "ttl": 60, "ttlUnhealthy": 10, "publicUrl": "https://p/x"}, "delivery": "links",
                 "rules": [{"name": "r", "when": {"servers": ["s1"], "paths": ["/x"], "clients": ["10.0.0.0/8"], "countries": ["DE"],
                  "asns": [1], "headers": {"a": "b"}, "hours": {"days": ["sun"], "from": "01:00", "to": "02:00", "timeZone": "UTC"}},
                  "cdns": {"a": 3}, "selection": {"strategy": "rotate", "every": 2}, "every": 4, "status": 307, "delivery": "playlist",
                  "steering": {"enabled": true, "ttl": 60, "ttlUnhealthy": 10, "publicUrl": "http://q:8000"}},
                  {"name": "d", "when": {"hours": {"days": ["sun"], "from": "01:00", "to": "02:00", "utcOffset": "-01:00"}}, "deny": true}]}
                """)
        // The decoder sorts keys.
        #expect(try Document(json: Catalog(document).document.json) == document)
        var unset = Set(Self.sections.keys.flatMap { Self.keys(of: $0) })
        Self.remove(document, in: "", from: &unset)
        #expect(unset.sorted() == [], "a new key belongs into the document above")
    }

    /// A key's name behind that of its section.
    private static func keys(of key: Schema.Key, in section: String = "") -> [String] {
        ["\(section)/\(key.name)"] + key.schema.keys.flatMap { keys(of: $0, in: key.name) }
    }

    private static func remove(_ document: Document, in section: String, from unset: inout Set<String>) {
        switch document {
        case .array(let elements): for element in elements { remove(element, in: section, from: &unset) }
        case .object(let members):
            for member in members {
                unset.remove("\(section)/\(member.key)")
                remove(member.value, in: member.key, from: &unset)
            }
        default: break
        }
    }
}

extension Schema {
    /// Of an object, or of the objects in a list.
    fileprivate var keys: [Schema.Key] {
        switch self {
        case .object(let keys): keys
        case .list(_, let element): element.keys
        case .nullable(let schema): schema.keys
        default: []
        }
    }

    fileprivate subscript(name: String) -> Schema? { keys.first { $0.name == name }?.schema }
}

// MARK: - The OpenAPI document

/// The schemas of an OpenAPI document, compared with the catalog's sections.
struct OpenAPI {
    /// What a schema is for.
    enum Use: Sendable { case output, input, patch }

    private let schemas: Document
    private(set) var differences: [String] = []

    init(_ document: Document) { schemas = document["components"]?["schemas"] ?? .null }

    mutating func compare(_ schema: Schema, _ name: String, _ use: Use) {
        compare(schema, schemas[name] ?? .null, use, at: name)
    }

    private mutating func compare(_ schema: Schema, _ node: Document, _ use: Use, at place: String) {
        let variants = variants(node)
        switch schema {
        case .object(let keys): compare(keys, variants, use, at: place)
        case .nullable(let schema): compare(schema, node, use, at: place)
        case .list(let count, let element):
            expect(variants, ["type": .string("array"), "maxItems": .integer(count.upperBound)], at: place)
            expect(variants, count.lowerBound > 0 ? ["minItems": .integer(count.lowerBound)] : [:], at: place)
            for variant in variants where variant["items"] != nil {
                compare(element, variant["items"] ?? .null, use == .patch ? .input : use, at: place + "[]")
            }
        case .map(let count):
            expect(variants, ["type": .string("object")], at: place)
            expect(variants, count.lowerBound > 0 ? ["minProperties": .integer(count.lowerBound)] : [:], at: place)
        case .flag: expect(variants, ["type": .string("boolean")], at: place)
        case .text: expect(variants, ["type": .string("string")], at: place)
        case .fraction: expect(variants, ["type": .string("number"), "minimum": .integer(0), "maximum": .integer(1)], at: place)
        case .integer(let range) where range.count == 1:
            expect(variants, ["const": .integer(range.lowerBound), "type": .string("integer")], at: place)
        case .integer(let range):
            let bounds = ["minimum": Document.integer(range.lowerBound), "maximum": .integer(range.upperBound)]
            expect(variants, bounds.merging(["type": .string("integer")]) { $1 }, at: place)
        case .choice(let values):
            let accepted = Set(variants.flatMap { $0["enum"].map(OpenAPI.elements) ?? [$0["const"] ?? .null] }.map(\.json)).subtracting([
                "null"
            ])
            if accepted != Set(values.map(\.json)) { differences.append("\(place): accepts \(accepted.sorted())") }
        }
    }

    private mutating func compare(_ keys: [Schema.Key], _ variants: [Document], _ use: Use, at place: String) {
        let members = variants.flatMap { OpenAPI.members($0["properties"] ?? .null) }
        let names = Set(members.map(\.key))
        differences += keys.filter { !names.contains($0.name) }.map { "\(place): lacks the key \"\($0.name)\"" }
        differences += names.subtracting(keys.map(\.name)).sorted().map { "\(place): has a key \"\($0)\" that the catalog has not" }
        for key in keys {
            let nodes = members.filter { $0.key == key.name }.map(\.value)
            guard !nodes.isEmpty else { continue }
            let whole = Document.object([.init("oneOf", .array(nodes))])
            var schema = key.schema
            // A default that is not written is not read either.
            if use == .output, key.presence == .hidden, case .choice(let values) = schema, let fallback = key.fallback {
                schema = .choice(values.filter { $0 != fallback })
            }
            compare(schema, whole, use, at: "\(place).\(key.name)")
            if use == .input, let fallback = key.fallback, fallback != .null, key.schema.keys.isEmpty, variants.count == 1 {
                let given = nodes.compactMap { $0["default"] }
                let isEmpty = fallback == .array([]) || fallback == .object([]) || fallback == .bool(false)
                let isRight = given.contains(fallback) || (given.isEmpty && key.presence == .hidden && isEmpty)
                if !isRight { differences.append("\(place).\(key.name): has no default \(fallback.json)") }
            }
        }
        // Which keys of alternatives belong together, no table says.
        guard variants.count == 1, use != .patch, variants[0]["anyOf"] == nil else { return }
        let needed = keys.filter { use == .output ? $0.presence != .hidden : $0.presence == .required }.map(\.name)
        let required = OpenAPI.elements(variants[0]["required"] ?? .array([]))
        let isConditional = { (name: String) in !required.contains(.string(name)) && OpenAPI.conditional.contains("\(place).\(name)") }
        differences += needed.filter { !required.contains(.string($0)) && !isConditional($0) }.map {
            "\(place): does not require \"\($0)\""
        }
        differences += required.filter { name in !needed.contains { .string($0) == name } }.map { "\(place): requires \($0.json)" }
    }

    /// Keys that are written only beside others.
    private static let conditional: Set<String> = Set(
        ["origin", "cdns[]"].flatMap { owner in ["method", "path", "expect"].map { "Catalog.\(owner).probe.\($0)" } }
            + ["origin", "cdns[]"].flatMap { owner in
                ["life", "covers", "placement", "bindAddress", "expression", "encoding"].map { "Catalog.\(owner).sign.\($0)" }
                    + ["CatalogInput.\(owner).sign.expression"]
            }
            + ["days", "from", "to", "utcOffset"].map { "Catalog.rules[].when.hours.\($0)" })

    private mutating func expect(_ variants: [Document], _ wanted: [String: Document], at place: String) {
        for (name, value) in wanted.sorted(by: { $0.key < $1.key }) {
            let given = variants.compactMap { $0[name] }
            let isThere = given.contains { $0 == value || OpenAPI.elements($0).contains(value) }
            if !isThere { differences.append("\(place): \(name) is \(given.map(\.json)), not \(value.json)") }
        }
    }

    /// A schema without references, and its alternatives; `null` is none.
    private func variants(_ node: Document) -> [Document] {
        if case .string(let reference)? = node["$ref"] {
            return variants(schemas[reference.replacingOccurrences(of: "#/components/schemas/", with: "")] ?? .null)
        }
        for key in ["oneOf", "anyOf"] where node["properties"] == nil {
            if case .array(let alternatives)? = node[key] { return alternatives.flatMap { variants($0) } }
        }
        return node["type"] == .string("null") ? [] : [node]
    }

    private static func members(_ document: Document) -> [Document.Member] {
        if case .object(let members) = document { members } else { [] }
    }

    private static func elements(_ document: Document) -> [Document] {
        if case .array(let elements) = document { elements } else { [] }
    }
}

// MARK: - docs/catalog.md

/// The tables of a page, by the heading that they stand under.
private struct Page {
    /// Rows of cells by the key that the first cell names.
    private(set) var tables: [String: [String: [String]]] = [:]
    /// The text under "### Hours".
    private(set) var hours = ""

    init(_ text: String) {
        var heading = ""
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            if line.hasPrefix("## ") || line.hasPrefix("### ") { heading = line }
            if heading == "### Hours" || line.contains("utcOffset") { hours += line + "\n" }
            guard line.hasPrefix("| ") else { continue }
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            for name in Page.names(cells[0]) { tables[heading, default: [:]][name] = tables[heading]?[name] ?? Array(cells.dropFirst()) }
        }
    }

    /// What stands in backticks.
    private static func names(_ cell: String) -> [String] {
        cell.split(separator: "`", omittingEmptySubsequences: false).enumerated().filter { $0.offset % 2 == 1 }.map { String($0.element) }
    }

    /// What a table does not say of an object's keys.
    static func missing(_ schema: Schema, in table: [String: [String]], prefix: String, besides: Set<String> = []) -> [String] {
        schema.keys.filter { !besides.contains($0.name) }.flatMap { key -> [String] in
            let name = prefix + key.name
            var own: [String] = []
            var inner = ""
            switch key.schema {
            case .object: inner = name + "."
            case .list(_, let element) where !element.keys.isEmpty: inner = name + "[]."
            default: break
            }
            // Sections with tables of their own are looked at there.
            let isApart = prefix.isEmpty && table["version"] == nil || ["probe", "rules", "sign"].contains(key.name)
            if !inner.isEmpty, !isApart { own = missing(key.schema, in: table, prefix: inner) }
            guard let cells = table[name] else { return inner.isEmpty || isApart ? ["no row for \(name)"] + own : own }
            if case .integer(let range) = key.schema, range.count > 1, cells.count > 3 {
                let text = "\(grouped(range.lowerBound)) to \(grouped(range.upperBound))"
                if cells[1] != text { own.append("\(name) has the range \(cells[1]), not \(text)") }
            }
            if let fallback = key.fallback, cells.count != 1, key.schema.keys.isEmpty {
                let cell = (cells.count > 3 ? cells[2] : cells[0]).replacingOccurrences(of: "`", with: "")
                let text = fallback.json.replacingOccurrences(of: "\"", with: "")
                let isEmpty = ["null", "[]", "{}"].contains(text)
                if cell != text, !isEmpty { own.append("\(name) has the default \"\(cell)\", not \(text)") }
            }
            return own
        }
    }

    /// As the page writes it: in groups from five digits on.
    private static func grouped(_ number: Int) -> String {
        if number < 10_000 { return "\(number)" }
        let digits = Array("\(number)")
        return digits.indices.map { ($0 > 0 && (digits.count - $0) % 3 == 0 ? "," : "") + String(digits[$0]) }.joined()
    }
}
