import Control
import Foundation
import Glibc
import Logging
import Steering
import Synchronization
import TLS
import Testing

@testable import Serving

/// The operator's files of certificates: what is taken, what stays, what is told.
@Suite struct CertificateFilesTests {
    private static let start: Int64 = 1_700_000_000

    /// A folder of certificates, a clock, and what was logged.
    private final class Rig: Sendable {
        let folder = FileManager.default.temporaryDirectory.appending(path: "certificates-\(UUID().uuidString)")
        let lines = Mutex<[(level: Logger.Level, text: String)]>([])
        let seconds = Mutex(CertificateFilesTests.start)
        let uptime = Mutex(Duration.zero)

        init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

        deinit { try? FileManager.default.removeItem(at: folder) }

        func path(_ name: String) -> String { folder.appending(path: name).path }

        func write(_ bytes: [UInt8], to name: String) throws {
            let file = folder.appending(path: name)
            try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(bytes).write(to: file)
        }

        /// A new pair, as `NAME.pem` and `NAME.key`.
        func makePair(_ name: String, _ names: [String], from: Int64 = start - 1000, until: Int64 = start + 1_000_000) throws {
            let files = try SelfSigned.make(names: names, from: from, until: until)
            try write(files.chain, to: "\(name).pem")
            try write(files.key, to: "\(name).key")
        }

        func pair(_ name: String) -> CertificatePlace { .pair(chain: path("\(name).pem"), key: path("\(name).key")) }

        func files(_ places: CertificatePlace..., ticketKeys: String? = nil) -> CertificateFiles {
            CertificateFiles(
                places, ticketKeys: ticketKeys.map(path), logger: Logger(label: "test") { _ in Recorder(rig: self) },
                now: { [self] in seconds.withLock { $0 * 1000 } },
                uptime: { [self] in uptime.withLock { $0 } })
        }

        func told(_ level: Logger.Level) -> [String] { lines.withLock { $0.filter { $0.level == level }.map(\.text) } }
    }

    private struct Recorder: LogHandler {
        let rig: Rig
        var logLevel = Logger.Level.trace
        var metadata: Logger.Metadata = [:]

        init(rig: Rig) { self.rig = rig }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let error = event.metadata?["error"].map { ": \($0)" } ?? ""
            rig.lines.withLock { $0.append((event.level, "\(event.message)\(error)")) }
        }
    }

    private static func names(_ identity: TLSIdentity?) -> [[String]]? { identity?.certificates.map(\.names) }

    @Test func `a look without a change changes nothing, and one with new files takes them over`() async throws {
        let rig = try Rig()
        try rig.makePair("a", ["a.example.com"])
        let files = rig.files(rig.pair("a"))
        #expect(Self.names(try await files.load()) == [["a.example.com"]])
        #expect(await files.look() == nil)
        try rig.makePair("a", ["b.example.com"])
        #expect(Self.names(await files.look()) == [["b.example.com"]])
        #expect(await files.look() == nil)
        #expect(rig.told(.error) == [])
    }

    @Test func `a broken pair is told once and leaves what was loaded, beside others that are renewed`() async throws {
        let rig = try Rig()
        try rig.makePair("a", ["a.example.com"])
        try rig.makePair("b", ["b.example.com"])
        let files = rig.files(rig.pair("a"), rig.pair("b"))
        _ = try await files.load()
        try rig.write(Array("nothing".utf8), to: "a.pem")
        try rig.makePair("b", ["new.example.com"])
        #expect(Self.names(await files.look()) == [["a.example.com"], ["new.example.com"]])
        #expect(await files.look() == nil)
        try FileManager.default.removeItem(atPath: rig.path("a.key"))
        #expect(await files.look() == nil)
        #expect(
            rig.told(.error) == [
                "the new certificate cannot be used: the one loaded before stays until good files are there: \(rig.path("a.pem")) has no "
                    + "certificate; it must be PEM: BEGIN CERTIFICATE",
                "the new certificate cannot be used: the one loaded before stays until good files are there: \(rig.path("a.key")) cannot be "
                    + "read: No such file or directory",
            ])
        try rig.makePair("a", ["c.example.com"])
        #expect(Self.names(await files.look()) == [["c.example.com"], ["new.example.com"]])
    }

    @Test func `the start names every fault, one a line`() async throws {
        let rig = try Rig()
        try rig.makePair("a", ["a.example.com"])
        try rig.write([], to: "empty.pem")
        let files = rig.files(
            .pair(chain: rig.path("none.pem"), key: rig.path("a.key")), .pair(chain: rig.path("empty.pem"), key: rig.path("a.key")),
            .pair(chain: rig.path("a.pem"), key: rig.folder.path))
        do {
            _ = try await files.load()
            Issue.record("it was loaded")
        } catch let fault as ConfigurationFault {
            let lines = fault.description.split(separator: "\n").map { $0.replacing(rig.folder.path, with: "") }
            let setting = "--tls-certificate (BALANCER_TLS_CERTIFICATE)"
            #expect(
                lines == [
                    "\(setting): /none.pem cannot be read: No such file or directory",
                    "\(setting):  cannot be read: it is no regular file", "\(setting): /empty.pem is empty",
                ])
        }
    }

    @Test func `a folder has pairs by name and those of certbot's folders, and new ones are found`() async throws {
        let rig = try Rig()
        try rig.makePair("b", ["b.example.com"])
        try rig.makePair("live/fullchain", ["live.example.com"])
        try FileManager.default.moveItem(atPath: rig.path("live/fullchain.key"), toPath: rig.path("live/privkey.pem"))
        try rig.write([1], to: "README")
        try rig.write([1], to: ".hidden.pem")
        let files = rig.files(.folder(rig.folder.path))
        #expect(Self.names(try await files.load()) == [["b.example.com"], ["live.example.com"]])
        try rig.makePair("a", ["a.example.com"])
        #expect(Self.names(await files.look()) == [["a.example.com"], ["b.example.com"], ["live.example.com"]])
        try FileManager.default.removeItem(at: rig.folder.appending(path: "live"))
        #expect(await files.look() == nil)
        rig.uptime.withLock { $0 += .seconds(10) }
        #expect(Self.names(await files.look()) == [["a.example.com"], ["b.example.com"]])
        for name in ["a.pem", "b.pem"] { try FileManager.default.removeItem(atPath: rig.path(name)) }
        #expect(await files.look() == nil)
        rig.uptime.withLock { $0 += .seconds(10) }
        #expect(await files.look() == nil)
        #expect(await files.certificates.count == 2)
        #expect(rig.told(.error) == ["the folders have no certificate any more: those loaded before stay"])
    }

    /// certbot takes each link away before it makes the next one, and a look may come between.
    @Test func `regression: a pair of several that is gone for a moment keeps its names, and its place`() async throws {
        let rig = try Rig()
        for name in ["a", "b"] { try rig.makePair(name, ["\(name).example.com"]) }
        let files = rig.files(.folder(rig.folder.path))
        _ = try await files.load()
        try FileManager.default.moveItem(atPath: rig.path("a.pem"), toPath: rig.path("away"))
        for _ in 0..<3 {
            #expect(await files.look() == nil)
            rig.uptime.withLock { $0 += .seconds(1) }
        }
        #expect(await files.certificates.map(\.names) == [["a.example.com"], ["b.example.com"]])
        try FileManager.default.moveItem(atPath: rig.path("away"), toPath: rig.path("a.pem"))
        #expect(await files.look() == nil)
        // The time of its first absence is forgotten.
        rig.uptime.withLock { $0 += .seconds(10) }
        try FileManager.default.removeItem(atPath: rig.path("a.key"))
        #expect(await files.look() == nil)
        rig.uptime.withLock { $0 += .seconds(10) }
        #expect(Self.names(await files.look()) == [["b.example.com"]])
    }

    @Test func `regression: a folder that cannot be read any more keeps its certificates beside others, and one line says why`()
        async throws
    {
        let rig = try Rig()
        try rig.makePair("a", ["a.example.com"])
        try rig.makePair("more/b", ["b.example.com"])
        let files = rig.files(rig.pair("a"), .folder(rig.path("more")))
        _ = try await files.load()
        try FileManager.default.moveItem(atPath: rig.path("more"), toPath: rig.path("away"))
        for _ in 0..<3 {
            #expect(await files.look() == nil)
            rig.uptime.withLock { $0 += .seconds(60) }
        }
        #expect(await files.certificates.count == 2)
        let why = "\(rig.path("more")) cannot be read: No such file or directory"
        #expect(await files.reports.map(\.trouble) == [nil, why])
        #expect(
            rig.told(.error) == [
                "a folder of certificates cannot be read: those that were loaded of it stay: \(rig.path("more")): No such file or directory"
            ])
        try FileManager.default.moveItem(atPath: rig.path("away"), toPath: rig.path("more"))
        #expect(await files.look() == nil)
        #expect(await files.reports.map(\.trouble) == [nil, nil])
    }

    @Test func `regression: a certificate that begins later takes the place of a valid one only then`() async throws {
        let rig = try Rig()
        try rig.makePair("a", ["a.example.com"])
        let files = rig.files(rig.pair("a"))
        _ = try await files.load()
        try rig.makePair("a", ["later.example.com"], from: Self.start + 100)
        for _ in 0..<3 { #expect(await files.look() == nil) }
        #expect(rig.told(.error).count == 1)
        #expect(
            rig.told(.error).last?.contains("a.pem is not valid before 2023-11-14T22:15:00Z, and taken then; is the clock right?") == true)
        rig.seconds.withLock { $0 += 100 }
        #expect(Self.names(await files.look()) == [["later.example.com"]])
        #expect(await files.reports.map(\.trouble) == [nil])
        // Back before its begin: what is loaded stays, and what comes then is judged by the clock that there is.
        rig.seconds.withLock { $0 -= 5000 }
        #expect(await files.look() == nil)
        try rig.makePair("a", ["newest.example.com"], from: Self.start + 50)
        #expect(Self.names(await files.look()) == [["newest.example.com"]])
    }

    @Test func `of certificates for one name those that are valid are shown, and the first one's place is inherited`() async throws {
        let rig = try Rig()
        try rig.makePair("a", ["a.example.com"], until: Self.start + 100)
        try rig.makePair("b", ["b.example.com"])
        try rig.makePair("c", ["a.example.com", "c.example.com"])
        let files = rig.files(rig.pair("a"), rig.pair("b"), rig.pair("c"))
        #expect(try await files.load().certificates.count == 3)
        #expect(await files.look() == nil)
        rig.seconds.withLock { $0 += 100 }
        #expect(Self.names(await files.look()) == [["a.example.com", "c.example.com"], ["b.example.com"]])
        #expect(await files.reports.count == 3)
        #expect(await files.look() == nil)
    }

    @Test func `an expired certificate of the chain and one without names are told of, and shown all the same`() async throws {
        let rig = try Rig()
        rig.seconds.withLock { $0 = ChainFixture.issuerEnds - 86_400 }
        try rig.write(ChainFixture.leaf + ChainFixture.issuer, to: "a.pem")
        try rig.write(ChainFixture.leafKey, to: "a.key")
        let files = rig.files(rig.pair("a"))
        #expect(try await files.load().certificates.first?.names == [])
        #expect(rig.told(.warning).contains { $0.hasPrefix("a certificate has no subjectAltName") })
        #expect(rig.told(.warning).contains { $0.hasPrefix("a certificate of the chain expires in 1 days") })
        rig.seconds.withLock { $0 = ChainFixture.issuerEnds + 1 }
        #expect(await files.look() == nil)
        #expect(rig.told(.error).map { $0.prefix(42) } == ["a certificate of the chain has expired, an"])
        #expect(await files.reports.first?.warnings.count == 2)
        #expect(await files.reports.first?.trouble == nil)
    }

    @Test func `what could not be taken into use is returned again by the next look, and status says why it is not`() async throws {
        let rig = try Rig()
        try rig.makePair("a", ["a.example.com"])
        let files = rig.files(rig.pair("a"))
        _ = try await files.load()
        try rig.makePair("a", ["b.example.com"])
        #expect(Self.names(await files.look()) == [["b.example.com"]])
        await files.isNotInUse("no memory")
        #expect(await files.reports.map(\.trouble) == ["no memory"])
        #expect(Self.names(await files.look()) == [["b.example.com"]])
        #expect(await files.reports.map(\.trouble) == [nil])
        #expect(await files.look() == nil)
    }

    @Test func `a thousand pairs are looked at in order, and one that changes is one that is read anew`() async throws {
        let rig = try Rig()
        try rig.makePair("0000", ["0.example.com"])
        for index in 1..<1000 {
            let name = String(format: "%04d", index)
            for ending in ["pem", "key"] {
                try FileManager.default.copyItem(atPath: rig.path("0000.\(ending)"), toPath: rig.path("\(name).\(ending)"))
            }
        }
        let files = rig.files(.folder(rig.folder.path))
        #expect(try await files.load().certificates.count == 1000)
        #expect(await files.look() == nil)
        try rig.makePair("0500", ["500.example.com"])
        let identity = try #require(await files.look())
        #expect(identity.certificates[500].names == ["500.example.com"] && identity.certificates.count == 1000)
        #expect(rig.told(.notice) == ["certificate loaded"])
    }

    @Test func `an empty folder ends the start`() async throws {
        let rig = try Rig()
        await #expect(throws: ConfigurationFault.self) { try await rig.files(.folder(rig.folder.path)).load() }
    }

    @Test func `regression: a pipe where a certificate should be is refused, and nobody waits for who writes into it`() async throws {
        let rig = try Rig()
        try rig.makePair("a", ["a.example.com"])
        try FileManager.default.removeItem(atPath: rig.path("a.pem"))
        // The path is lent as a C string for the call.
        #expect(unsafe mkfifo(rig.path("a.pem"), 0o600) == 0)
        let fault = await #expect(throws: ConfigurationFault.self) { try await rig.files(rig.pair("a")).load() }
        #expect("\(try #require(fault))".hasSuffix("a.pem cannot be read: it is no regular file"))
    }

    @Test func `an expired certificate serves from a start with a line, and replaces no valid one later`() async throws {
        let rig = try Rig()
        try rig.makePair("a", ["a.example.com"], until: Self.start - 1)
        let files = rig.files(rig.pair("a"))
        #expect(Self.names(try await files.load()) == [["a.example.com"]])
        #expect(rig.told(.error) == ["a certificate has expired, and clients refuse it: renew it"])
        try rig.makePair("a", ["valid.example.com"])
        #expect(Self.names(await files.look()) == [["valid.example.com"]])
        try rig.makePair("a", ["old.example.com"], until: Self.start - 1)
        #expect(await files.look() == nil)
        #expect(rig.told(.error).last?.hasSuffix("has expired at 2023-11-14T22:13:19Z; renew it") == true)
        #expect(Self.names(TLSIdentity(await files.certificates)) == [["valid.example.com"]])
    }

    @Test func `a certificate that is ending is told once a day, then as expired, until it is renewed`() async throws {
        let rig = try Rig()
        let day: Int64 = 86_400
        try rig.makePair("a", ["a.example.com"], from: Self.start - 76 * day, until: Self.start + 14 * day)
        let files = rig.files(rig.pair("a"))
        _ = try await files.load()
        _ = await files.look()
        #expect(rig.told(.warning) == [])
        let warning = { (days: Int) in "a certificate expires in \(days) days and was not renewed: see what should renew it" }
        rig.seconds.withLock { $0 += 60 }
        for _ in 0..<3 { _ = await files.look() }
        #expect(rig.told(.warning) == [warning(13)])
        rig.seconds.withLock { $0 += day }
        for _ in 0..<3 { _ = await files.look() }
        #expect(rig.told(.warning) == [warning(13), warning(12)])
        rig.seconds.withLock { $0 = Self.start + 14 * day }
        for _ in 0..<3 { _ = await files.look() }
        #expect(rig.told(.error) == ["a certificate has expired, and clients refuse it: renew it"])
        #expect(await files.reports.map { $0.life?.state(at: Self.start + 14 * day) } == [.expired])
        try rig.makePair("a", ["a.example.com"], from: Self.start, until: Self.start + 90 * day)
        for _ in 0..<3 { _ = await files.look() }
        rig.seconds.withLock { $0 += day }
        _ = await files.look()
        #expect(rig.told(.warning).count == 2 && rig.told(.error).count == 1)
    }

    @Test func `status has every place: what is loaded of it, and why its newest files are not`() async throws {
        let rig = try Rig()
        try rig.makePair("a", ["a.example.com", "b.example.com"])
        let files = rig.files(rig.pair("a"), .folder(rig.path("more")))
        try rig.makePair("more/c", ["c.example.com"])
        _ = try await files.load()
        try rig.write([], to: "a.pem")
        try rig.makePair("more/d", ["d.example.com"])
        try rig.write([], to: "more/d.pem")
        _ = await files.look()
        let reports = await files.reports
        #expect(reports.map(\.names) == [["a.example.com", "b.example.com"], ["c.example.com"], []])
        #expect(reports.map { $0.life?.until } == [Self.start + 1_000_000, Self.start + 1_000_000, nil])
        #expect(reports.map(\.trouble) == ["\(rig.path("a.pem")) is empty", nil, "\(rig.path("more/d.pem")) is empty"])
        let document = CertificateReports.document([("players", reports)], at: Self.start * 1000)
        #expect(
            document.json.contains(
                #""names":["a.example.com","b.example.com"],"state":"good","expires":"2023-11-26T12:00:00Z","daysLeft":11,"ocsp":null,"trouble":""#
            ))
        #expect(document.json.contains(#""names":[],"state":"missing","expires":null,"daysLeft":null,"ocsp":null,"trouble":""#))
        try rig.makePair("a", ["a.example.com"])
        _ = await files.look()
        #expect(await files.reports.map { $0.trouble == nil } == [true, true, false])
    }

    @Test func `a certificate of tomorrow serves with a line that doubts the clock`() async throws {
        let rig = try Rig()
        try rig.makePair("a", ["a.example.com"], from: Self.start + 100)
        let files = rig.files(rig.pair("a"))
        _ = try await files.load()
        let line = "a certificate is not valid yet, and clients refuse it: is the clock right?"
        #expect(rig.told(.error) == [line])
        rig.seconds.withLock { $0 += 200 }
        #expect(await files.look() == nil)
        // The clock jumps back while it serves.
        rig.seconds.withLock { $0 -= 200 }
        for _ in 0..<3 { #expect(await files.look() == nil) }
        #expect(rig.told(.error) == [line, line])
    }

    @Test func `keys of tickets rotate by a clock that nobody sets, without new files`() async throws {
        let rig = try Rig()
        try rig.makePair("a", ["a.example.com"])
        let files = rig.files(rig.pair("a"))
        _ = try await files.load()
        rig.seconds.withLock { $0 -= 365 * 86_400 }
        rig.uptime.withLock { $0 += .seconds(TicketKeys.rotation - 1) }
        #expect(await files.look() == nil)
        rig.uptime.withLock { $0 += .seconds(1) }
        #expect(await files.look() != nil)
        #expect(await files.look() == nil)
    }

    @Test func `a fleet's keys of tickets are read from a file, and again when it changes; a broken file leaves them`() async throws {
        let rig = try Rig()
        try rig.makePair("a", ["a.example.com"])
        let key = String(repeating: "0a", count: 32)
        try rig.write(Array(key.utf8), to: "keys")
        let files = rig.files(rig.pair("a"), ticketKeys: "keys")
        let first = try await files.load()
        #expect(await files.look() == nil)
        // They are the operator's to rotate.
        rig.uptime.withLock { $0 += .seconds(10 * TicketKeys.rotation) }
        #expect(await files.look() == nil)
        try rig.write(Array("nothing".utf8), to: "keys")
        #expect(await files.look() == nil)
        #expect(await files.look() == nil)
        try FileManager.default.removeItem(atPath: rig.path("keys"))
        #expect(await files.look() == nil)
        let told = "the new ticket keys cannot be used: those loaded before stay until a good file is there: \(rig.path("keys"))"
        #expect(
            rig.told(.error) == [
                "\(told): line 1 is no key; write 64 hexadecimal digits, as `openssl rand -hex 32` makes them",
                "\(told) cannot be read: No such file or directory",
            ])
        #expect(await files.ticketKeys.trouble?.hasSuffix("cannot be read: No such file or directory") == true)
        let generation = await files.ticketKeys.generation
        try rig.write(Array("\(String(repeating: "0b", count: 32))\n\(key)\n".utf8), to: "keys")
        let second = try #require(await files.look())
        let report = await files.ticketKeys
        #expect(report.trouble == nil && report.count == 2 && report.generation != generation && report.file == rig.path("keys"))
        #expect(rig.told(.notice) == ["ticket keys loaded"])
        #expect(await files.look() == nil)
        #expect(!second.certificates.isEmpty && first.certificates.count == second.certificates.count)
    }

    @Test func `the start fails with every fault of certificates and of keys of tickets`() async throws {
        let rig = try Rig()
        try rig.write([], to: "keys")
        let fault = await #expect(throws: ConfigurationFault.self) { try await rig.files(rig.pair("a"), ticketKeys: "keys").load() }
        let lines = "\(try #require(fault))".split(separator: "\n")
        #expect(lines.count == 2 && lines[0].contains("a.pem cannot be read"))
        #expect(lines.last?.hasPrefix("--tls-ticket-keys (BALANCER_TLS_TICKET_KEYS): ") == true)
        #expect(lines.last?.contains("keys has no key; write 64 hexadecimal digits") == true)
    }

    @Test func `an OCSP response beside its certificate is taken, an unfit one is told of, and an expired one is taken away`() async throws
    {
        let rig = try Rig()
        let now: Int64 = 1_795_868_053
        rig.seconds.withLock { $0 = now }
        try rig.write(StapleFixture.leaf + StapleFixture.root, to: "a.pem")
        try rig.write(StapleFixture.leafKey, to: "a.key")
        try rig.write(StapleFixture.ofAnother, to: "a.ocsp")
        let files = rig.files(rig.pair("a"))
        #expect(try await files.load().certificates.map { $0.staple == nil } == [true])
        let told = "the OCSP response cannot be used: its certificate is shown without one: \(rig.path("a.ocsp"))"
        #expect(rig.told(.error) == ["\(told) is about another certificate; ask for the one that it lies beside"])
        let leftOut = "\(rig.path("a.ocsp")) is about another certificate; ask for the one that it lies beside"
        #expect(await files.reports.map(\.ocsp) == [OCSPReport(trouble: leftOut)])
        #expect(await files.look() == nil)
        try rig.write(StapleFixture.ofADay, to: "a.ocsp")
        #expect(await files.look()?.certificates.first?.staple?.validUntil == now + 86_399)
        #expect(await files.reports.map(\.ocsp) == [OCSPReport(validFrom: now - 1, validUntil: now + 86_399)])
        let families = CertificateReports.metrics([("players", await files.reports)], await files.ticketKeys)
        func value(_ metric: Metric) -> Double? { families.first { $0.name == metric.name }?.samples.first?.value }
        #expect(value(.ocspShown) == 1 && value(.ocspProduced) == Double(now - 1) && value(.ocspExpiry) == Double(now + 86_399))
        #expect(value(.certificateTroubles) == 0 && value(.ticketKeysTrouble) == 0 && value(.ticketKeyInfo) == nil)
        rig.seconds.withLock { $0 = now + 86_398 }
        #expect(await files.look() == nil)
        rig.seconds.withLock { $0 = now + 86_399 }
        #expect(await files.look()?.certificates.map { $0.staple == nil } == [true])
        #expect(rig.told(.error).last == "\(told) has expired; ask the authority for a new one")
        #expect(await files.reports.first?.ocsp?.trouble?.hasSuffix("has expired; ask the authority for a new one") == true)
        #expect(await files.look() == nil)
        try rig.write(StapleFixture.good, to: "a.ocsp")
        #expect(await files.look()?.certificates.map { $0.staple == nil } == [false])
        try FileManager.default.removeItem(atPath: rig.path("a.ocsp"))
        #expect(await files.look()?.certificates.map { $0.staple == nil } == [true])
        #expect(rig.told(.error).count == 2)
    }

    @Test func `keys belong to files in their order, and folders have their own`() throws {
        let rig = try Rig()
        #expect(
            CertificatePlace.places(certificates: ["a.pem", rig.folder.path, "b.pem", "self-signed"], keys: ["a.key", "b.key"]) == [
                .pair(chain: "a.pem", key: "a.key"), .folder(rig.folder.path), .pair(chain: "b.pem", key: "b.key"), .selfSigned,
            ])
        #expect(CertificatePlace.places(certificates: ["both.pem"], keys: []) == [.pair(chain: "both.pem", key: "both.pem")])
        #expect(CertificatePlace.places(certificates: ["a.pem", "b.pem"], keys: ["a.key"]) == nil)
        #expect(CertificatePlace.places(certificates: [rig.folder.path], keys: ["a.key"]) == nil)
    }
}
