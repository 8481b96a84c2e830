import ArgumentParser
import Foundation
import Serving
import Signing
import Steering
import Storage
import TLS

/// `video-balancer signing-key create|list|check`.
struct SigningKeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "signing-key", abstract: "Makes, lists and checks the keys that sign links to CDNs.",
        discussion: "docs/signing.md tells how a key comes to a CDN, and how it is changed without one refused viewer.",
        subcommands: [Create.self, List.self, Check.self])

    /// Makes a key's file, or adds the key that takes over.
    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes a key of 32 random hexadecimal digits, which every scheme takes, and writes it to its file.",
            discussion: "It prints the file's path and the key's fingerprint, never the key: show the file to your CDN's console yourself.")

        @Argument(help: "The key's name, as cdns[].sign.key says it; its file has the same.") var name: String
        @Option(
            help: ArgumentHelp(
                "Add a key beside the one that is there, which takes over at this time: 2026-12-01T03:00:00Z.", valueName: "time"))
        var next: String?
        @OptionGroup var keys: SigningKeyOptions

        func run() async throws {
            try await Exit.reporting {
                guard LinkSigning.isKeyName(name) else {
                    throw ConfigurationFault("a key's name has 1 to 64 letters, digits, dots, hyphens or underscores, and no dot first")
                }
                if let next, SigningKey.second(next) == nil {
                    throw ConfigurationFault("--next must be a time like 2026-12-01T03:00:00Z, in UTC")
                }
                let folder = try keys.requiredFolder()
                var secret = SigningKey.random()
                defer { Secret.wipe(&secret) }
                var text = try next.map { try content(of: folder, taking: $0) } ?? []
                defer { Secret.wipe(&text) }
                text += Array((next == nil ? "current " : "next ").utf8) + secret + [0x0A]
                if let next { text += Array("switch \(next)\n".utf8) }
                let path = folder.file(name)
                if next == nil, FileManager.default.fileExists(atPath: path) {
                    throw ConfigurationFault("\(path) is there already; to change the key, add one with --next TIME")
                }
                do throws(SigningKey.Fault) { _ = try SigningKey(text.span) } catch { throw ConfigurationFault("--next: \(error)") }
                try replace(path, with: text)
                let made = SigningKey.fingerprint(Secret(secret.span))
                try StandardOutput.print("\(path): key made, fingerprint \(made)\(next.map { ", takes over at \($0)" } ?? "")")
            }
        }

        /// What the file begins with when a key is added: the one that signs now. Whoever had taken over is the current one from here on.
        private func content(of folder: SigningKeyFolder, taking next: String) throws -> [UInt8] {
            let key: SigningKey
            do throws(SigningKey.Fault) {
                key = try folder.entry(name).key.get()
            } catch {
                throw ConfigurationFault("\(folder.file(name)): \(error)")
            }
            let hasSwitched = key.switches <= Int(SystemClock.now() / 1000)
            if key.next != nil, !hasSwitched {
                throw ConfigurationFault(
                    "\(folder.file(name)) has a next key that has not taken over yet; wait, or take it out of the file")
            }
            let current = hasSwitched ? key.next ?? key.current : key.current
            return Array("current ".utf8) + current.withBytes { bytes in (0..<bytes.count).map { bytes[$0] } } + [0x0A]
        }

        /// A balancer that reads meanwhile sees the old file or the new one.
        private func replace(_ path: String, with bytes: [UInt8]) throws {
            let draft = (path as NSString).deletingLastPathComponent + "/.\(name).new"
            guard FileManager.default.createFile(atPath: draft, contents: Data(bytes), attributes: [.posixPermissions: 0o600]),
                unsafe rename(draft, path) == 0
            else { throw ConfigurationFault("\(path) cannot be written: is its folder there, and may this user write into it?") }
        }
    }

    /// Lists the keys of the folder.
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Lists the keys: name, fingerprint, what takes over and when. Balancers that show the same fingerprint have the same key.")
        @OptionGroup var keys: SigningKeyOptions

        func run() async throws {
            try await Exit.reporting {
                for entry in try SigningKeyCommand.entries(try keys.requiredFolder()) {
                    try StandardOutput.print("\(entry.name)  \(SigningKeyCommand.describe(entry))")
                }
            }
        }
    }

    /// Checks the keys, and whether they fit a catalog.
    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Checks every key, and whether a catalog finds those that it names.",
            discussion: "Exit code 0 when all is good, 78 when something is not. A file that everybody may read is a warning.")

        @Argument(help: "A catalog in JSON, or in YAML when the name ends in .yaml or .yml; - is standard input.") var catalog: String?
        @OptionGroup var keys: SigningKeyOptions

        func run() async throws {
            try await Exit.reporting {
                let folder = try keys.requiredFolder()
                let entries = try SigningKeyCommand.entries(folder)
                let read = try catalog.map { try CatalogFile.read($0) }
                // Without a catalog every file is meant to be a key; with one, those that it names.
                let named = read.map { Set($0.signings.map(\.signing.key)) }
                var faults: [String] = []
                for entry in entries where named?.contains(entry.name) ?? true {
                    if entry.isOpenToAll {
                        StandardError.say("warning: \(folder.file(entry.name)): everybody on this machine may read it: chmod 600 it")
                    }
                    if case .failure(let fault) = entry.key { faults.append("\(folder.file(entry.name)): \(fault)") }
                }
                if let read {
                    let good = Dictionary(entries.compactMap { entry in (try? entry.key.get()).map { (entry.name, $0) } }) { $1 }
                    let table = RoutingTable(read, revision: 0, signers: Signers(read, keys: good))
                    faults += table.unsigned.map { "\($0.target): \($0.reason)" }
                    for warning in read.signingWarnings { StandardError.say("warning: \(warning)") }
                }
                guard faults.isEmpty else { throw ConfigurationFault(faults.joined(separator: "\n")) }
                let signed = read.map { ", signed targets: \($0.signings.count)" } ?? ""
                try StandardOutput.print("\(folder.path): good; keys: \(entries.count)\(signed)")
            }
        }
    }

    private static func entries(_ folder: SigningKeyFolder) throws -> [SigningKeyFolder.Entry] {
        do throws(SigningKey.Fault) { return try folder.entries() } catch { throw ConfigurationFault(error.description) }
    }

    private static func describe(_ entry: SigningKeyFolder.Entry) -> String {
        switch entry.key {
        case .failure(let fault): return "cannot be used: it \(fault)"
        case .success(let key):
            let next = key.next.map { next in
                let time = Date(timeIntervalSince1970: Double(key.switches)).formatted(Date.ISO8601FormatStyle())
                let isPast = key.switches <= Int(SystemClock.now() / 1000)
                return ", \(isPast ? "replaced by" : "next") \(SigningKey.fingerprint(next)) \(isPast ? "since" : "from") \(time)"
            }
            return "\(SigningKey.fingerprint(key.current))\(next ?? "")\(entry.isOpenToAll ? ", readable by everybody" : "")"
        }
    }
}
