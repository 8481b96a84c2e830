import Foundation
import Testing

/// Rules by country and autonomous system, on the wire, while databases come and go.
@Suite(.onThreads)
struct GeoIPTests {
    private static let catalog = """
        {"version": 1, "origin": {"domains": ["origin-cluster"], "servers": ["s[1-99]"], "every": 0},
         "cdns": [{"name": "cdn-0", "url": "http://cdn-0.example.com"}, {"name": "cdn-1", "url": "http://cdn-1.example.com"},
                  {"name": "cdn-2", "url": "http://cdn-2.example.com"}],
         "rules": [{"name": "de", "when": {"countries": ["DE"]}, "cdns": {"cdn-1": 1}},
                   {"name": "last", "when": {"asns": [4294967295]}, "cdns": {"cdn-2": 1}},
                   {"name": "rest", "when": {}, "cdns": {"cdn-0": 1}}]}
        """

    private static func database(_ name: String) -> String {
        URL(fileURLWithPath: #filePath).appending(path: "../../GeoIPTests/Databases/\(name).mmdb").standardizedFileURL.path
    }

    /// A balancer that believes its clients, with the catalog above.
    private func serve(in folder: Folder, _ flags: String...) throws -> Balancer {
        try folder.importCatalog(GeoIPTests.catalog)
        var environment = ["BALANCER_ADMIN_TOKEN": Editor.token, "BALANCER_TRUSTED_PROXIES": "127.0.0.1/32"]
        for (name, file) in zip(["BALANCER_GEOIP_COUNTRY", "BALANCER_GEOIP_ASN"], flags) where !file.isEmpty { environment[name] = file }
        return try Balancer(in: folder, environment: environment)
    }

    /// Puts a file in place of another at once, as geoipupdate does.
    private func put(_ name: String, as file: String, in folder: Folder) throws {
        try folder.remove("new")
        try FileManager.default.copyItem(atPath: GeoIPTests.database(name), toPath: folder.path("new"))
        try folder.move("new", to: file)
    }

    private func target(_ balancer: Balancer, _ client: String) throws -> String {
        Sample.target(of: try balancer.get(Sample.target, "X-Forwarded-For: \(client)").location)
    }

    /// A member of `geoip` in `status`.
    private func status(_ balancer: Balancer) throws -> [String: Any] {
        let answer = try HTTPConnection("127.0.0.1", balancer.adminPort)
            .get("/api/v1/status", ["Connection: close", "Authorization: Bearer \(Editor.token)"])
        let object = try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any]
        return try #require(object?["geoip"] as? [String: Any], "\(answer.text)")
    }

    private func country(_ balancer: Balancer, _ key: String) throws -> String? {
        (try status(balancer)["country"] as? [String: Any])?[key] as? String
    }

    private func loads(_ balancer: Balancer, _ result: String) throws -> Double? {
        try balancer.metrics()["balancer_geoip_loads_total{database=\"country\",result=\"\(result)\"}"]
    }

    @Test func `clients are told apart by country and by autonomous system, over IPv4, mapped IPv4 and IPv6`() throws {
        let balancer = try serve(in: try Folder(), GeoIPTests.database("country"), GeoIPTests.database("asn"))
        defer { balancer.end() }
        for (client, wanted) in [
            ("192.0.2.1", "cdn-1"), ("::ffff:192.0.2.1", "cdn-1"), ("2001:db8::1", "cdn-1"), ("198.51.100.1", "cdn-2"),
            ("203.0.113.1", "cdn-0"), ("2001:db8:1::1", "cdn-0"), ("2001:db9::1", "cdn-0"), ("127.0.0.1", "cdn-0"),
        ] {
            #expect(try target(balancer, client) == wanted, "\(client)")
        }
        #expect(try country(balancer, "type") == "Test-Country" && country(balancer, "built") == "2026-01-01T00:00:00Z")
        #expect(try country(balancer, "error") == nil && (status(balancer)["warnings"] as? [String]) == [])
        #expect(try balancer.metrics()["balancer_geoip_built_timestamp_seconds{database=\"asn\"}"] == 1_767_225_600)
        #expect(try balancer.stop() == .exited(0))
    }

    @Test func `a new file is taken over by itself, a bad one refused and told once, and what was loaded stays`() throws {
        let folder = try Folder()
        try put("country", as: "c.mmdb", in: folder)
        let balancer = try serve(in: folder, folder.path("c.mmdb"), GeoIPTests.database("asn"))
        defer { balancer.end() }
        #expect(try target(balancer, "192.0.2.1") == "cdn-1")

        try put("asn", as: "c.mmdb", in: folder)
        balancer.process.send(SIGHUP)
        try eventually("the wrong type to be refused") { try loads(balancer, "refused") == 1 }
        #expect(try country(balancer, "error") == #"has no country.iso_code; its type is "Test-ASN""#)
        #expect(try country(balancer, "type") == "Test-Country")
        #expect(try target(balancer, "192.0.2.1") == "cdn-1")

        // Cut in its place, under whoever might have mapped it.
        try folder.write("", to: "c.mmdb")
        balancer.process.send(SIGHUP)
        try eventually("the empty file to be refused") { try loads(balancer, "refused") == 2 }
        try folder.remove("c.mmdb")
        balancer.process.send(SIGHUP)
        try eventually("the missing file to be told") { try loads(balancer, "refused") == 3 }
        balancer.process.send(SIGHUP)
        #expect(try country(balancer, "error") == "No such file or directory")
        #expect(try target(balancer, "192.0.2.1") == "cdn-1")

        // Without a signal.
        try put("country-newer", as: "c.mmdb", in: folder)
        try eventually("the newer database to be in use", within: 40) { try target(balancer, "192.0.2.1") == "cdn-0" }
        #expect(try country(balancer, "error") == nil)
        #expect(try loads(balancer, "accepted") == 2 && loads(balancer, "refused") == 3)
        let lines = try balancer.log("the new GeoIP database cannot be used: the one loaded before stays until a good file is there")
        #expect(lines.count == 3 && lines.allSatisfy { $0.level == "warning" && $0["file"] == folder.path("c.mmdb") })
        #expect(try balancer.stop() == .exited(0))
    }

    @Test func `redirects begin without the database too, a warning says which rule is blind, and the file is taken when it comes`() throws
    {
        let folder = try Folder()
        let balancer = try serve(in: folder, folder.path("c.mmdb"))
        defer { balancer.end() }
        #expect(try target(balancer, "192.0.2.1") == "cdn-0")
        let warnings = [
            "rule \"de\" asks for the client's country, but no database of them is loaded: it matches nobody",
            "rule \"last\" asks for the client's autonomous system, but no database of them is loaded: it matches nobody",
        ]
        #expect(try status(balancer)["warnings"] as? [String] == warnings)
        #expect(try country(balancer, "error") == "No such file or directory" && country(balancer, "loaded") == nil)
        #expect(try status(balancer)["asn"] is NSNull)
        let lines = try balancer.log("the GeoIP database cannot be used: rules by country match nobody until a good file is there")
        #expect(lines.count == 1 && lines.first?.level == "warning")
        try eventually("the log to name the rules") {
            try balancer.log().filter { $0.message.hasSuffix("see --geoip-country and --geoip-asn") }.count == 2
        }

        try put("country", as: "c.mmdb", in: folder)
        balancer.process.send(SIGHUP)
        try eventually("the database to be in use") { try target(balancer, "192.0.2.1") == "cdn-1" }
        // The workers have a table before the publisher says so.
        try eventually("the other warning alone") { try status(balancer)["warnings"] as? [String] == [warnings[1]] }
        #expect(try balancer.stop() == .exited(0))
    }

    @Test func `explain and simulate go by the databases that they are given, and a bad one is a fault`() throws {
        let folder = try Folder()
        try folder.importCatalog(GeoIPTests.catalog)
        let databases = ["--geoip-country", GeoIPTests.database("country"), "--geoip-asn", GeoIPTests.database("asn")]
        func run(_ arguments: [String]) throws -> Command.Finished { try Command.run([Command.binary] + arguments, in: folder) }
        let question = ["explain", "/s1/video/1", "--from", "198.51.100.1", "--database", folder.database]
        let told = try run(question + databases)
        #expect(told.output.contains("client    198.51.100.1: country AT, autonomous system 4294967295\n"), "\(told)")
        #expect(told.output.contains("\"last\" is the first that matches"), "\(told)")
        let blind = try run(question)
        #expect(blind.output.contains("blind     rule \"de\" asks"), "\(blind)")
        let bad = try run(question + ["--geoip-asn", GeoIPTests.database("country")])
        #expect(bad.code == 78, "\(bad)")
        #expect(
            bad.error == "video-balancer: \(GeoIPTests.database("country")): "
                + "has no autonomous_system_number; its type is \"Test-Country\"\n", "\(bad)")

        try folder.write(GeoIPTests.catalog, to: "catalog.json")
        try folder.write(
            (0..<10).map { "192.0.2.\($0) - - [x] \"GET /s1/video/\($0) HTTP/1.1\" 301 0\n" }.joined(), to: "access.log")
        let played = try run(["simulate", "catalog.json", "--log", "access.log"] + databases)
        #expect(played.output.contains(/cdn-1 +10 +100.00 %/), "\(played)")
        let unknown = try run(["simulate", "catalog.json", "--log", "access.log"])
        #expect(unknown.output.contains(/cdn-0 +10 +100.00 %/) && unknown.errorLines.count == 2, "\(unknown)")
    }
}
