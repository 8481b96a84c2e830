import Foundation
import Logging
import Signing
import Synchronization
import TLS
import Testing

@testable import Serving

/// Keys in a folder, as they come, change and go.
@Suite struct SigningKeyFilesTests {
    /// A folder that is gone with the test.
    private final class Folder {
        let path = FileManager.default.temporaryDirectory.appending(path: "keys-\(UUID().uuidString)").path

        init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func write(_ name: String, _ text: String, mode: Int = 0o600) throws {
            let draft = "\(path)/.draft"
            try Data(text.utf8).write(to: URL(filePath: draft))
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: draft)
            try? FileManager.default.removeItem(atPath: "\(path)/\(name)")
            try FileManager.default.moveItem(atPath: draft, toPath: "\(path)/\(name)")
        }
    }

    private final class Log: LogHandler {
        private let lines = Mutex<[String]>([])
        var text: String { lines.withLock { $0.joined(separator: "\n") } }
        var logLevel: Logger.Level {
            get { .trace }
            set {}
        }
        var metadata: Logger.Metadata {
            get { [:] }
            set {}
        }
        subscript(metadataKey _: String) -> Logger.Metadata.Value? {
            get { nil }
            set {}
        }

        func log(event: LogEvent) {
            lines.withLock { $0.append("\(event.message) \(event.metadata ?? [:])") }
        }
    }

    private static func files(_ path: String, _ log: Log = Log()) -> SigningKeyFiles {
        SigningKeyFiles(path, logger: Logger(label: "test") { _ in log }, now: { 0 })
    }

    private static func text(_ key: SigningKey?) -> String? {
        key?.current.secret?.withBytes { bytes in String(decoding: (0..<bytes.count).map { bytes[$0] }, as: UTF8.self) }
    }

    @Test func `a changed file is another key at the next look, and an unchanged one is not read again`() async throws {
        let folder = try Folder()
        try folder.write("cdn-a", "first-key-first-key")
        let files = Self.files(folder.path)
        #expect(await files.look())
        #expect(Self.text(await files.keys?["cdn-a"]) == "first-key-first-key")
        #expect(await !files.look())
        try folder.write("cdn-a", "second-key-second-key")
        try folder.write("cdn-b", "third-key-third-key")
        #expect(await files.look())
        #expect(Self.text(await files.keys?["cdn-a"]) == "second-key-second-key")
        #expect(Self.text(await files.keys?["cdn-b"]) == "third-key-third-key")
    }

    @Test(arguments: ["", "two\nkeys", "current"])
    func `a bad file leaves the key that was good, and is told once`(content: String) async throws {
        let folder = try Folder()
        try folder.write("k", "a-good-key-a-good-key")
        let log = Log()
        let files = Self.files(folder.path, log)
        _ = await files.look()
        try folder.write("k", content == "current" ? "current a\ncurrent b" : content)
        #expect(await !files.look())
        #expect(await !files.look())
        #expect(Self.text(await files.keys?["k"]) == "a-good-key-a-good-key")
        #expect(await files.reports.first?.trouble != nil)
        #expect(log.text.components(separatedBy: "the new signing key cannot be used").count == 2)
    }

    @Test func `a file that is gone leaves its key until the end, and its return is seen`() async throws {
        let folder = try Folder()
        try folder.write("k", "a-good-key-a-good-key")
        let log = Log()
        let files = Self.files(folder.path, log)
        _ = await files.look()
        try FileManager.default.removeItem(atPath: "\(folder.path)/k")
        for _ in 0..<3 { #expect(await !files.look()) }
        #expect(await files.keys?.count == 1)
        #expect(log.text.components(separatedBy: "is gone").count == 2)
        try folder.write("k", "another-key-another-key")
        #expect(await files.look())
        #expect(await files.reports.first?.trouble == nil)
    }

    @Test func `a folder that cannot be read leaves all keys, and is told once`() async throws {
        var folder: Folder? = try Folder()
        try folder?.write("k", "a-good-key-a-good-key")
        let log = Log()
        let files = Self.files(folder?.path ?? "", log)
        _ = await files.look()
        folder = nil
        for _ in 0..<3 { #expect(await !files.look()) }
        #expect(await files.keys?.count == 1)
        #expect(await files.trouble != nil)
        #expect(log.text.components(separatedBy: "cannot be read").count == 3, "\(log.text)")
    }

    @Test func `hidden files, folders and names that no catalog can have are passed over`() async throws {
        let folder = try Folder()
        try folder.write(".hidden", "a-good-key-a-good-key")
        try folder.write("back~up", "a-good-key-a-good-key")
        try FileManager.default.createDirectory(atPath: folder.path + "/folder", withIntermediateDirectories: true)
        let files = Self.files(folder.path)
        #expect(await !files.look())
        #expect(await files.keys?.isEmpty == true)
    }

    @Test func `links to files, as Kubernetes mounts secrets, are followed`() async throws {
        let folder = try Folder()
        for version in ["..1", "..2"] {
            try FileManager.default.createDirectory(atPath: "\(folder.path)/\(version)", withIntermediateDirectories: true)
            try Data("key-of-version-\(version)".utf8).write(to: URL(filePath: "\(folder.path)/\(version)/k"))
        }
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/..data", withDestinationPath: "..1")
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/k", withDestinationPath: "..data/k")
        let files = Self.files(folder.path)
        _ = await files.look()
        #expect(Self.text(await files.keys?["k"]) == "key-of-version-..1")
        try FileManager.default.removeItem(atPath: folder.path + "/..data")
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/..data", withDestinationPath: "..2")
        #expect(await files.look())
        #expect(Self.text(await files.keys?["k"]) == "key-of-version-..2")
    }

    @Test func `a file that everybody may read is used, and warned of`() async throws {
        let folder = try Folder()
        try folder.write("k", "a-good-key-a-good-key", mode: 0o644)
        let log = Log()
        let files = Self.files(folder.path, log)
        #expect(await files.look())
        #expect(await files.reports.first?.isOpenToAll == true)
        #expect(log.text.contains("chmod 600"))
    }

    @Test func `no line of the log and no report has a key in it`() async throws {
        let folder = try Folder()
        try folder.write("k", "current topsecrettopsecret\nnext evenmoresecretthanthat\nswitch 2026-12-01T03:00:00Z", mode: 0o644)
        try folder.write("bad", "topsecrettopsecret and more")
        let log = Log()
        let files = Self.files(folder.path, log)
        _ = await files.look()
        var dumped = ""
        dump(await files.reports, to: &dumped)
        for text in [log.text, dumped] {
            #expect(text.contains("k"))
            #expect(!text.contains("topsecret") && !text.contains("evenmore"), "\(text)")
        }
    }

    @Test func `without a folder there are no keys, and nothing is looked for`() async {
        let files = Self.files("")
        #expect(await !files.look())
        #expect(await files.keys == nil)
    }
}
