import Foundation
import Steering
import Testing

@testable import GeoIP

@Suite(.enabled(if: GeoIPDatabase.isSupported, "needs the package trait GeoIP"))
struct GeoIPDatabaseTests {
    private func country(_ database: GeoIPDatabase, _ client: String) throws -> String? {
        Geography(countries: database.map).country(of: try #require(ClientAddress(client)))?.description
    }

    private func asn(_ database: GeoIPDatabase, _ client: String) throws -> UInt32? {
        Geography(asns: database.map).asn(of: try #require(ClientAddress(client)))
    }

    private func detail(_ kind: GeoIPDatabase.Kind, _ path: String) -> String {
        do throws(GeoIPError) {
            _ = try GeoIPDatabase(kind, path: path)
            return "taken"
        } catch {
            return error.path == path ? error.detail : "another path: \(error)"
        }
    }

    @Test(arguments: ["country", "country-ipv4"])
    func `the country of an address is its narrowest network's`(name: String) throws {
        let database = try GeoIPDatabase(.country, path: Databases.path(name))
        #expect(database.type == "Test-Country" && database.built == 1_767_225_600)
        for (client, wanted) in [
            ("192.0.2.0", "DE"), ("192.0.2.255", "DE"), ("::ffff:192.0.2.7", "DE"), ("198.51.100.76", "AT"), ("198.51.100.77", "CH"),
            ("198.51.100.78", "AT"),
        ] {
            #expect(try country(database, client) == wanted, "\(client)")
        }
        // Before, after, in a network without a country, and at the ends.
        for client in ["192.0.1.255", "192.0.3.0", "203.0.113.1", "0.0.0.0", "255.255.255.255", "::", "::1", "ffff::"] {
            #expect(try country(database, client) == nil, "\(client)")
        }
        let hasIPv6 = name == "country"
        for (client, wanted) in [("2001:db8::", "DE"), ("2001:db8:1::", "AT"), ("2001:db8:1:ffff::", "AT"), ("2001:db8:2::", "DE")] {
            #expect(try country(database, client) == (hasIPv6 ? wanted : nil), "\(client)")
        }
        // The alias of 6to4 is not followed.
        #expect(try country(database, "2001:db9::") == nil && country(database, "2002:c000:0207::1") == nil)
    }

    @Test func `the autonomous system of an address is found over the whole range of numbers`() throws {
        let database = try GeoIPDatabase(.asn, path: Databases.path("asn"))
        #expect(database.type == "Test-ASN")
        #expect(try asn(database, "192.0.2.1") == 64496)
        #expect(try asn(database, "198.51.100.1") == .max)
        #expect(try asn(database, "2001:db8::1") == 64497)
        #expect(try asn(database, "203.0.113.1") == nil)
    }

    @Test func `a record for all of IPv4 above its place in the tree is found`() throws {
        let database = try GeoIPDatabase(.country, path: Databases.path("country-wide"))
        #expect(
            try country(database, "0.0.0.0") == "DE" && country(database, "255.255.255.255") == "DE" && country(database, "::5") == "DE")
        #expect(try country(database, "0:0:0:1::") == nil)
        #expect(database.map.intervals == 3)
    }

    @Test func `a database of another type is refused, and the sentence tells its type`() {
        #expect(detail(.asn, Databases.path("country")) == #"has no autonomous_system_number; its type is "Test-Country""#)
        #expect(detail(.country, Databases.path("asn")) == #"has no country.iso_code; its type is "Test-ASN""#)
        #expect(detail(.country, Databases.path("country-no-codes")) == #"has no country.iso_code; its type is "Test-Country""#)
    }

    @Test func `what is no database is refused: nothing, a folder, a device, a pipe, an empty or a large file, text`() throws {
        #expect(detail(.country, "/nowhere/x.mmdb") == "No such file or directory")
        #expect(detail(.country, "/tmp") == "is no regular file")
        #expect(detail(.country, "/dev/zero") == "is no regular file")
        let unknown = "is no GeoIP database in MaxMind's format, or is cut: "
        try Databases.withFile([]) { #expect(detail(.country, $0).hasPrefix(unknown)) }
        try Databases.withFile(Array(repeating: 0x41, count: 100_000)) { #expect(detail(.country, $0).hasPrefix(unknown)) }
        try Databases.withFile([]) { path in
            // unsafe: the path is lent as a C string for the call.
            #expect(unsafe truncate(path, PrivateCopy.largest + 1) == 0)
            #expect(detail(.country, path) == "has 536870913 bytes; at most 536870912 are taken")
        }
        let pipe = "/tmp/geoip-pipe-\(UUID().uuidString)"
        // unsafe: the path is lent as a C string for the call.
        #expect(unsafe mkfifo(pipe, 0o600) == 0)
        defer { try? FileManager.default.removeItem(atPath: pipe) }
        #expect(detail(.country, pipe) == "is no regular file")
    }

    @Test(arguments: ["country", "country-ipv4", "asn"])
    func `a database that is cut, at whatever byte, is refused`(name: String) throws {
        let bytes = try Databases.bytes(name)
        let kind: GeoIPDatabase.Kind = name == "asn" ? .asn : .country
        for length in bytes.indices {
            try Databases.withFile(Array(bytes[..<length])) { #expect(detail(kind, $0) != "taken", "\(length) bytes") }
        }
        try Databases.withFile(bytes) { #expect(detail(kind, $0) == "taken") }
    }

    @Test(arguments: ["country", "country-ipv4", "asn"])
    func `no change of bytes does harm: the database is refused or can be asked`(name: String) throws {
        var random = SystemRandomNumberGenerator()
        let bytes = try Databases.bytes(name)
        let kind: GeoIPDatabase.Kind = name == "asn" ? .asn : .country
        let clients = try ["192.0.2.1", "198.51.100.77", "255.255.255.255", "2001:db8:1::", "::"].map { try #require(ClientAddress($0)) }
        var taken = 0
        for _ in 0..<3000 {
            var changed = bytes
            let changes = (0..<Int.random(in: 1...4, using: &random)).map { _ in
                (index: bytes.indices.randomElement(using: &random) ?? 0, byte: UInt8.random(in: 0...255, using: &random))
            }
            for change in changes { changed[change.index] = change.byte }
            let database = try Databases.withFile(changed) { path -> GeoIPDatabase? in
                do throws(GeoIPError) { return try GeoIPDatabase(kind, path: path) } catch { return nil }
            }
            guard let database else { continue }
            taken += 1
            let geography = Geography(countries: database.map, asns: database.map)
            for client in clients {
                let number = database.map.value(of: client)
                #expect(kind == .asn || number <= 676, "\(changes)")
                _ = geography.country(of: client)
            }
        }
        // Many changes are in names and other fields that nobody asks for.
        #expect(taken > 100 && taken < 3000, "\(taken)")
    }

    @Test func `a tree with a ring, or with more ways than nodes, is refused soon`() throws {
        var bytes = try Databases.bytes("country-ipv4")
        // Records of 24 bits: both of the second node lead back to it. That none leads to the first the library sees to.
        bytes.replaceSubrange(6..<12, with: [0, 0, 1, 0, 0, 1])
        try Databases.withFile(bytes) { #expect(detail(.country, $0) == "is broken: its search tree is none") }
        // Both records of each of the first 30 nodes lead to the next.
        bytes = try Databases.bytes("country-ipv4")
        for node in 0..<30 {
            for record in 0..<2 { bytes.replaceSubrange(node * 6 + record * 3..<node * 6 + record * 3 + 3, with: [0, 0, UInt8(node + 1)]) }
        }
        let began = ContinuousClock.now
        try Databases.withFile(bytes) { #expect(detail(.country, $0) == "is broken: its search tree is none") }
        #expect(ContinuousClock.now - began < .seconds(10))
    }

    @Test func `a time beyond all calendars is bounded`() throws {
        var bytes = try Databases.bytes("country")
        // After the key's last letter: an extended type (2), 64 bits in four bytes.
        let key = Array("build_epoch".utf8)
        let value = try #require(bytes.indices.last { bytes[$0...].starts(with: key) }) + key.count
        #expect(Array(bytes[value..<value + 2]) == [0x04, 0x02])
        bytes.replaceSubrange(value..<value + 6, with: [0x08, 0x02] + Array(repeating: 0xFF, count: 8))
        let database = try Databases.withFile(bytes) { try GeoIPDatabase(.country, path: $0) }
        #expect(database.built == 253_402_300_799)
    }

    @Test func `a file that is cut while it is in use harms nobody`() throws {
        try Databases.withFile(try Databases.bytes("country")) { path in
            let database = try GeoIPDatabase(.country, path: path)
            try Data().write(to: URL(fileURLWithPath: path))
            #expect(try country(database, "192.0.2.1") == "DE")
        }
    }

    @Test func `reading leaves no descriptor open, be the file good or bad`() throws {
        func count() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count }
        // Other suites of the process may open some meanwhile, but no hundreds.
        let before = try count()
        for _ in 0..<500 {
            _ = detail(.country, Databases.path("country"))
            _ = detail(.country, Databases.path("asn"))
            _ = detail(.country, #filePath)
            _ = detail(.country, "/tmp")
        }
        #expect(try count() < before + 200)
    }

    @Test func `a stamp tells a new file from an old one by more than its time`() throws {
        let bytes = try Databases.bytes("country")
        try Databases.withFile(bytes) { path in
            let first = FileStamp(path: path)
            #expect(first != nil && FileStamp(path: path) == first)
            // The same bytes and the same time of change, in another file.
            let time = try FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
            try FileManager.default.removeItem(atPath: path)
            #expect(FileStamp(path: path) == nil)
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            try FileManager.default.setAttributes([.modificationDate: try #require(time)], ofItemAtPath: path)
            #expect(FileStamp(path: path) != first)
        }
    }
}
