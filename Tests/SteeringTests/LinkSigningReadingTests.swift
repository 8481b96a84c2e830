import Testing

@testable import Steering

/// `sign` in the catalog: what is accepted, and what is said of the rest.
@Suite struct LinkSigningReadingTests {
    private static func document(_ sign: String, url: String = "https://a") throws -> Document {
        try Document(
            json: """
                {"version": 1, "origin": {"domains": ["o"], "servers": ["s1"]}, "cdns": [{"name": "a", "url": "\(url)", "sign": \(sign)}]}
                """)
    }

    private static func faults(_ sign: String, url: String = "https://a") throws -> [Fault] {
        let document = try document(sign, url: url)
        do throws(CatalogFaults) {
            _ = try Catalog(document)
            return []
        } catch {
            return error.faults
        }
    }

    @Test func `what manifests cannot do for signed targets is said, as far as the catalog serves them`() throws {
        func warnings(_ sign: String, _ delivery: String, rules: String = "[]") throws -> [String] {
            let document = try Self.document(sign).setting("/steering", try Document(json: #"{"enabled": true}"#))
                .setting("/delivery", .string(delivery)).setting("/rules", try Document(json: rules))
                .setting("/origin/every", .integer(0))
            return try Catalog(document).signingWarnings
        }
        let (file, query) = (#"{"scheme": "gcore", "key": "k", "covers": "file"}"#, #"{"scheme": "akamai", "key": "k"}"#)
        let path = #"{"scheme": "bunny", "key": "k", "placement": "path"}"#
        #expect(try warnings(file, "redirect").isEmpty && warnings(path, "both").isEmpty)
        #expect(
            try warnings(file, "playlist").map { $0.contains("manifests with pathways and MPDs are redirected (signed-file)") } == [true])
        #expect(
            try warnings(file, "links").map { $0.contains("file") && !$0.contains("pathways") && $0.contains("each segment") } == [true])
        #expect(
            try warnings(query, "both").map { $0.contains("(signed-query)") && $0.contains("cookie") && $0.contains("links") } == [true])
        let rule = #"[{"name": "r", "when": {"paths": ["/x/"]}, "delivery": "links"}]"#
        #expect(try warnings(file, "redirect", rules: rule).count == 1)
        let bound = #"{"scheme": "bunny", "key": "k", "placement": "path", "bindAddress": true}"#
        #expect(try warnings(bound, "playlist").contains { $0.contains("(signed-address)") })
    }

    @Test func `a scheme and a key are enough where nothing is to be said`() throws {
        let sign = try #require(Catalog(Self.document(#"{"scheme": "akamai", "key": "k"}"#)).cdns[0].sign)
        #expect(sign.life == 21600)
        #expect(sign.covers == .directory)
        #expect(sign.placement == .query)
        #expect(!sign.bindsAddress)
        #expect(sign.tokenName == "hdnts")
    }

    @Test(arguments: [
        (#"{"key": "k"}"#, "/cdns/0/sign/scheme", "is missing"), (#"{"scheme": "gcore"}"#, "/cdns/0/sign/key", "is missing"),
        (#"{"scheme": "bunny-basic", "key": "k"}"#, "/cdns/0/sign/scheme", "outdated"),
        (#"{"scheme": "other", "key": "k"}"#, "/cdns/0/sign/scheme", "must be one of"),
        (#"{"scheme": "gcore", "key": "../k"}"#, "/cdns/0/sign/key", "name of a file"),
        (#"{"scheme": "gcore", "key": ".."}"#, "/cdns/0/sign/key", "name of a file"),
        (#"{"scheme": "gcore", "key": "k", "life": 59}"#, "/cdns/0/sign/life", "from 60"),
        (#"{"scheme": "gcore", "key": "k", "covers": "prefix"}"#, "/cdns/0/sign/covers", "no more than one directory"),
        (#"{"scheme": "gcore", "key": "k", "placement": "path"}"#, "/cdns/0/sign/placement", "query alone"),
        (#"{"scheme": "bunny", "key": "k", "parameter": "t"}"#, "/cdns/0/sign/parameter", "belongs to"),
        (#"{"scheme": "bunny", "key": "k", "expression": "$expires"}"#, "/cdns/0/sign/expression", "belongs to"),
        (#"{"scheme": "akamai", "key": "k", "encoding": "hex"}"#, "/cdns/0/sign/encoding", "belongs to"),
        (#"{"scheme": "nginx", "key": "k"}"#, "/cdns/0/sign/expression", "is missing"),
        (#"{"scheme": "nginx", "key": "k", "expression": "$uri $secret"}"#, "/cdns/0/sign/expression", "last for ever"),
        (#"{"scheme": "nginx", "key": "k", "expression": "$expires$nothing $secret"}"#, "/cdns/0/sign/expression", "$remote_addr"),
        (
            #"{"scheme": "nginx", "key": "k", "expression": "$expires$uri $secret", "covers": "file"}"#, "/cdns/0/sign/covers",
            "expression says"
        ),
        (
            #"{"scheme": "nginx", "key": "k", "expression": "$expires $secret", "parameter": "expires"}"#, "/cdns/0/sign/expiresParameter",
            "a name of its own"
        ),
        (#"{"scheme": "hmac", "key": "k", "expression": "$expires $secret"}"#, "/cdns/0/sign/expression", "remove it"),
        (#"{"scheme": "nginx-secret", "key": "k"}"#, "/cdns/0/url", "one segment"),
        (#"{"scheme": "cloudfront", "key": "k", "placement": "path"}"#, "/cdns/0/sign/placement", "query alone"),
        (#"{"scheme": "cloudfront", "key": "k", "parameter": "t"}"#, "/cdns/0/sign/parameter", "belongs to"),
        (#"{"scheme": "media-cdn", "key": "k", "bindAddress": true}"#, "/cdns/0/sign/bindAddress", "media-cdn-token"),
        (#"{"scheme": "media-cdn", "key": "k", "placement": "path", "covers": "file"}"#, "/cdns/0/sign/covers", "before them"),
        (#"{"scheme": "media-cdn-token", "key": "k", "placement": "path"}"#, "/cdns/0/sign/placement", "in the query"),
        (#"{"scheme": "nginx-secret", "key": "k", "life": 60}"#, "/cdns/0/sign/life", "never expire"),
    ])
    func `what cannot be meant is a fault with a sentence`(sign: String, pointer: String, part: String) throws {
        let faults = try Self.faults(sign)
        #expect(faults.contains { $0.pointer == pointer && $0.message.contains(part) }, "\(faults)")
    }

    @Test func `a secret that was copied along with its expression is refused and not repeated`() throws {
        let faults = try Self.faults(#"{"scheme": "nginx", "key": "k", "expression": "$secure_link_expires$uri topsecret"}"#)
        #expect(faults.map(\.pointer) == ["/cdns/0/sign/expression"])
        #expect(faults[0].message.contains("$secret"))
        #expect(!faults[0].message.contains("topsecret"))
        let broken = try Self.faults(#"{"scheme": "nginx", "key": "k", "expression": "$x topsecret"}"#)
        #expect(broken.count == 1)
        #expect(!"\(broken)".contains("topsecret"))
    }

    @Test(arguments: [
        ("$secure_link_expires$uri$remote_addr secret of $secret", 5), ("${uri}x$secret$expires", 4), ("$arg_Video$expires$secret", 3),
    ])
    func `variables are read as nginx has them`(text: String, pieces: Int) throws {
        #expect(SigningExpression(text)?.pieces.count == pieces)
        #expect(SigningExpression("$arg_Video")?.pieces == [.argument(Array("video".utf8))])
    }

    @Test(arguments: ["$", "a$", "${uri", "$uri}$", "$arg_", "\"", "a\\b", "\u{1}", "é", "$URI"])
    func `what is no expression is none`(text: String) {
        #expect(SigningExpression(text) == nil)
    }

    @Test func `a life shorter than a film is a warning`() throws {
        let short = try Catalog(Self.document(#"{"scheme": "akamai", "key": "k", "life": 3600}"#))
        #expect(short.signingWarnings.count == 1)
        #expect(short.signingWarnings[0].contains("links to a are good for 3600 seconds"))
        #expect(try Catalog(Self.document(#"{"scheme": "akamai", "key": "k", "life": 10800}"#)).signingWarnings == [])
        #expect(try Catalog(Self.document(#"{"scheme": "nginx-secret", "key": "k"}"#, url: "https://a/p")).signingWarnings == [])
    }

    @Test func `the origin has no place for a token of secure_link_secret`() throws {
        let document = try Document(json: #"{"version": 1, "origin": {"domains": ["o"], "servers": ["s1"]}, "cdns": []}"#)
            .setting("/origin/sign", Document(json: #"{"scheme": "nginx-secret", "key": "k"}"#))
        #expect(Catalog.faultPointers(document) == ["/origin/sign/scheme"])
    }
}
