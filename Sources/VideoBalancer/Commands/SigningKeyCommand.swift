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
            abstract: "Makes a key and writes it to its file.",
            discussion: """
                A text is 32 random hexadecimal digits, which every scheme takes that shares its key with the CDN. Of a private key it prints the \
                public half for the CDN's console. It prints no text and no private key: show a text's file to your CDN's console yourself.
                """)

        @Argument(help: "The key's name, as cdns[].sign.key says it; its file has the same.") var name: String
        @Option(
            help: ArgumentHelp(
                "Add a key beside the one that is there, which takes over at this time: 2026-12-01T03:00:00Z.", valueName: "time"))
        var next: String?
        @Option(
            help: ArgumentHelp(
                "What key: text, or a private key: rsa or ecdsa for CloudFront, ed25519 for Media CDN. Beside --next that of the key that is there.",
                valueName: "kind"))
        var kind: Kind?
        @Option(help: ArgumentHelp("What the CDN calls the private key: CloudFront's key ID, Media CDN's keyset.", valueName: "name"))
        var id: String?
        @OptionGroup var keys: SigningKeyOptions

        enum Kind: String, ExpressibleByArgument, CaseIterable {
            case text, rsa, ecdsa, ed25519

            var privateKey: SignatureKey.Kind? { SignatureKey.Kind(rawValue: rawValue) }
        }

        func run() async throws {
            try await Exit.reporting { try make() }
        }

        private func make() throws {
            guard LinkSigning.isKeyName(name) else {
                throw ConfigurationFault("a key's name has 1 to 64 letters, digits, dots, hyphens or underscores, and no dot first")
            }
            if let next, SigningKey.second(next) == nil {
                throw ConfigurationFault("--next must be a time like 2026-12-01T03:00:00Z, in UTC")
            }
            let folder = try keys.requiredFolder()
            let path = folder.file(name)
            if next == nil, FileManager.default.fileExists(atPath: path) {
                throw ConfigurationFault("\(path) is there already; to change the key, add one with --next TIME")
            }
            let current = next == nil ? nil : try current(of: folder)
            var text = current.map { SigningKeyCommand.lines("current", $0) } ?? []
            defer { Secret.wipe(&text) }
            try add(try kind(beside: current), to: &text)
            if let next { text += Array("switch \(next)\n".utf8) }
            let key = try SigningKeyCommand.key(text)
            try replace(path, with: text)
            let made = key.next ?? key.current
            let time = next.map { ", takes over at \($0)" } ?? ""
            try StandardOutput.print("\(path): key made, fingerprint \(SigningKey.fingerprint(made))\(time)")
            for line in SigningKeyCommand.publicLines(made) { try StandardOutput.print(line) }
        }

        /// What is asked for, or the same as the key that is there.
        private func kind(beside current: SigningKey.Part?) throws -> Kind {
            let usual = current?.privateKey?.kind.flatMap { Kind(rawValue: $0.rawValue) } ?? .text
            let kind = self.kind ?? usual
            if kind == .text, id != nil { throw ConfigurationFault("--id is for private keys; a text has no name at the CDN") }
            return kind
        }

        /// Appends a new key.
        private func add(_ kind: Kind, to text: inout [UInt8]) throws {
            let word = next == nil ? "current" : "next"
            var key: [UInt8] = []
            defer { Secret.wipe(&key) }
            if let kind = kind.privateKey {
                do throws(TLSError) { key = try SignatureKey.random(kind) } catch { throw ConfigurationFault(error.description) }
                text += Array("\(word)\n\(id.map { "id \($0)" } ?? "# write \"id NAME\" here: what the CDN calls this key")\n".utf8) + key
            } else {
                key = SigningKey.random()
                text += Array("\(word) ".utf8) + key + [0x0A]
            }
        }

        /// The key that signs now. Whoever had taken over is the current one from here on.
        private func current(of folder: SigningKeyFolder) throws -> SigningKey.Part {
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
            return hasSwitched ? key.next ?? key.current : key.current
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
        @Flag(name: .customLong("public"), help: "Show the public half of private keys, for the CDN's console.") var showsPublic = false
        @OptionGroup var keys: SigningKeyOptions

        func run() async throws {
            try await Exit.reporting {
                for entry in try SigningKeyCommand.entries(try keys.requiredFolder()) {
                    try StandardOutput.print("\(entry.name)  \(SigningKeyCommand.describe(entry))")
                    guard showsPublic, let key = try? entry.key.get() else { continue }
                    for part in [key.current] + (key.next.map { [$0] } ?? []) {
                        for line in SigningKeyCommand.publicLines(part) { try StandardOutput.print(line) }
                    }
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
                    switch entry.key {
                    case .failure(let fault): faults.append("\(folder.file(entry.name)): \(fault)")
                    case .success(let key): if let warning = key.warning { faults.append("\(folder.file(entry.name)): \(warning)") }
                    }
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

    /// The key of a file's text.
    private static func key(_ text: [UInt8]) throws -> SigningKey {
        do throws(SigningKey.Fault) {
            return try SigningKey(text.span)
        } catch {
            throw ConfigurationFault("the key's file would not do: it \(error)")
        }
    }

    /// A key as its file has it. Whoever has it wipes it.
    private static func lines(_ word: String, _ part: SigningKey.Part) -> [UInt8] {
        if let secret = part.secret {
            return Array("\(word) ".utf8) + secret.withBytes { bytes in (0..<bytes.count).map { bytes[$0] } } + [0x0A]
        }
        return Array("\(word)\n\(part.id.map { "id \($0)\n" } ?? "")".utf8) + (part.privateKey?.privatePEM ?? [])
    }

    /// The public half of a private key, as consoles take it.
    private static func publicLines(_ part: SigningKey.Part) -> [String] {
        guard let key = part.privateKey else { return [] }
        let pem = key.publicPEM.trimmingCharacters(in: .newlines)
        return [pem]
            + (key.publicPoint.map {
                ["for Media CDN's keyset: \(Data($0).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_"))"]
            } ?? [])
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
            let kind = key.current.privateKey.map {
                " (\($0.kind?.rawValue ?? "of another kind")\(key.current.id.map { ", id \($0)" } ?? ", without an id"))"
            }
            return "\(SigningKey.fingerprint(key.current))\(kind ?? "")\(next ?? "")\(entry.isOpenToAll ? ", readable by everybody" : "")"
        }
    }
}
