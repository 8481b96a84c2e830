import Testing

@testable import Steering

/// The redirect once more in a few lines, without any of the code under test.
private struct Model {
    let origin: String
    let every: Int
    let isPerServer: Bool
    let cdns: [String]
    let rotate: Int
    var redirects: [String: Int] = [:]
    var cdnBound: [String: Int] = [:]

    mutating func location(server: String, domain: String, tail: String) -> (text: String, isOrigin: Bool) {
        let scope = isPerServer ? server : ""
        let path = tail.hasPrefix("/") ? tail : "/" + tail
        redirects[scope, default: 0] += 1
        if every > 0, redirects[scope, default: 0] % every == 0 { return ("\(origin)://\(server).\(domain)\(path)", true) }
        defer { cdnBound[scope, default: 0] += 1 }
        return ("\(cdns[cdnBound[scope, default: 0] / rotate % cdns.count])/\(server)\(path)", false)
    }
}

@Suite struct RedirectModelTests {
    @Test(arguments: [(10, "all", 1, 1), (3, "server", 1, 3), (2, "all", 4, 2), (0, "server", 1, 2)])
    func `generated URLs are redirected as the model says, to the byte`(every: Int, scope: String, rotate: Int, cdns: Int) throws {
        let urls = ["http://cdn.example.com", "https://b.example:8443/live/X", "http://[2001:db8::1]"].prefix(cdns)
        let setup = Setup(
            domains: GeneratedVideo.domains, servers: GeneratedVideo.servers, scheme: "https", every: every, scope: scope,
            cdns: urls.enumerated().map { .init(name: "c\($0.offset)", url: $0.element) }, rotate: rotate)
        let table = try setup.table()
        let sequences = SequenceBook().set(for: table)
        var model = Model(origin: "https", every: every, isPerServer: scope == "server", cdns: Array(urls), rotate: rotate)
        var random = SplitMix64(for: "URLs for a model with every \(every)")
        var (origins, expectedOrigins) = (0, 0)
        for round in 0..<25_000 {
            let video = GeneratedVideo(&random, cdns: Array(urls))
            let found = try find(video, in: table)
            let decision = try table.decide(server: found.video.server, avoiding: nil, sequences: sequences)
            let location = found.location(decision.target)
            let expected = model.location(server: video.server, domain: video.domain, tail: video.written)
            if decision.target == .origin { origins += 1 }
            if expected.isOrigin { expectedOrigins += 1 }
            guard location == expected.text else {
                Issue.record("round \(round): \(location) instead of \(expected.text) for \(video)")
                return
            }
        }
        #expect(origins == expectedOrigins)
        if every > 0, scope == "all" { #expect(origins == 25_000 / every) }
        if every == 0 { #expect(origins == 0) }
    }

    private func find(_ video: GeneratedVideo, in table: RoutingTable) throws(Refusal) -> FoundVideo {
        video.form == .path ? try table.find(path: video.request) : try table.find(query: "x=1&video=\(video.request)&avoid=none")
    }
}

/// A video that exists, named in one of the ways that the contract knows.
struct GeneratedVideo {
    static let domains = ["origin-cluster", "o.example:8080"]
    static let servers = ["s1", "s2", "edge-7"]

    let server: String
    let domain: String
    /// Path and query as the `Location` must have them.
    let written: String
    let form: Form
    /// What the client sends: a path, or the value of `video`.
    let request: String

    enum Form: CaseIterable { case raw, encoded, rawInRaw, encodedInRaw, rawInEncoded, encodedInEncoded, path }

    init(_ random: inout SplitMix64, cdns: [String]) {
        let isCDN = random.chance(25)
        form = random.one(of: Form.allCases)
        server = random.one(of: GeneratedVideo.servers)
        domain = isCDN || form == .path ? GeneratedVideo.domains[0] : random.one(of: GeneratedVideo.domains)
        let mayHoldAmpersand = [.encoded, .encodedInRaw, .encodedInEncoded, .path].contains(form)
        let tail = GeneratedVideo.tail(&random, mayHoldAmpersand: mayHoldAmpersand)
        written = tail.utf8.map { $0 < 0x80 ? String(UnicodeScalar($0)) : "%" + String($0, radix: 16, uppercase: true) }.joined()
        let head = isCDN ? "\(random.one(of: cdns))/\(server)" : "\(random.one(of: ["http", "https"]))://\(server).\(domain.uppercased())"
        let link = random.one(of: ["http://lb/?video=", "https://lb.example:8000/origin?x=y&video=", "http://[::1]?video="])
        let rawLink = link.replacing("x=y&", with: "")
        request =
            switch form {
            case .path: "/\(server)\(tail)"
            case .raw: head + tail
            case .encoded: encoded(head + tail)
            case .rawInRaw: rawLink + head + tail
            case .encodedInRaw: rawLink + encoded(head + tail)
            case .rawInEncoded: encoded(link + head + tail)
            case .encodedInEncoded: encoded(link + encoded(head + tail))
            }
    }

    private static func tail(_ random: inout SplitMix64, mayHoldAmpersand: Bool) -> String {
        let path = [
            "a", "Film", "/", "/", "//", "1488", "...", "x.m3u8", "%20", "%2f", "%C3%a9", "é", "🎬", "~", "+", ";v=1", "@", ":", "%252e",
            "!$'()*,=",
        ]
        let query = path + ["?", "..", "/../", "video=", "token="] + (mayHoldAmpersand ? ["&", "&amp;"] : [])
        var text = random.chance(90) ? "/x" : ""
        if !text.isEmpty { for _ in 0..<random.below(6) { text += random.one(of: path) } }
        if random.chance(30) { text += "?" + (0..<random.below(5)).map { _ in random.one(of: query) }.joined() }
        return text
    }
}
