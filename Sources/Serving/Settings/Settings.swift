public import Edge
import Control
import Foundation
public import GeoIP
import Logging
import Steering
public import Storage

/// All settings of the process, read and checked.
public struct Settings: Sendable {
    public let listen: ListenAddress
    let listenTLS: [ListenAddress]
    /// Empty without TLS.
    let certificates: [CertificatePlace]
    public let admin: ListenAddress
    /// This machine's own name among them.
    let adminNames: [String]
    public let database: DatabaseURL
    public let statePath: String
    let assets: String
    let adminToken: String?
    /// What this balancer is called in its fleet.
    let nodeName: String
    let workers: Int
    let usesFastPath: Bool
    let probesLinkLocal: Bool
    public let clientSource: ClientSource
    public let expectsProxyHeader: Bool
    let credentialOrigins: [String]
    /// Files of GeoIP databases.
    let geoIPPaths: [GeoIPDatabase.Kind: String]
    let limits: Limits
    /// Nil without a limit.
    let clientRate: ClientRate?
    let accessLog: AccessLog.Configuration?
    let lameDuckSeconds: Int
    let drainSeconds: Int

    /// - Throws: `ConfigurationFault` with every fault, one a line.
    public init(_ source: SettingsSource) throws {
        var reader = SettingsReader(source)
        listen = reader.address(.listen)
        (listenTLS, certificates) = reader.tls()
        admin = reader.address(.admin)
        adminNames = reader.names(.adminNames) + [Settings.machineName]
        database = reader.database(.database)
        let state = source.text(.state)
        statePath = state.isEmpty ? database.statePath : state
        assets = source.text(.assets)
        adminToken = try source.secret(.adminToken)
        if let adminToken, !(32...256).contains(adminToken.utf8.count) || !adminToken.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) {
            reader.note(.adminToken, "must have 32 to 256 visible ASCII characters; make one with `openssl rand -hex 32`")
        }
        let name = source.text(.nodeName)
        nodeName = name.isEmpty ? Settings.machineName : name
        if name.unicodeScalars.count > 255 || name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
            reader.note(.nodeName, "must have at most 255 characters and no control characters")
        }
        let asked = reader.integer(.workers, in: 0...256)
        workers = asked == 0 ? max(1, ProcessInfo.processInfo.activeProcessorCount) : asked
        usesFastPath = reader.flag(.fastPath)
        probesLinkLocal = reader.flag(.probeLinkLocal)
        clientSource = reader.clientSource()
        expectsProxyHeader = reader.flag(.proxyProtocol)
        credentialOrigins = reader.origins(.corsCredentialsOrigins)
        geoIPPaths = source.geoIPPaths
        if !geoIPPaths.isEmpty, !GeoIPDatabase.isSupported {
            reader.note(geoIPPaths[.country] == nil ? .geoipASN : .geoipCountry, "cannot be used: this program was built without GeoIP")
        }
        var limits = Limits()
        limits.target = reader.integer(.targetBytes, in: 64...65536)
        limits.head = reader.integer(.headBytes, in: 256...262_144)
        limits.fields = reader.integer(.headFields, in: 1...1000)
        limits.body = reader.integer(.bodyBytes, in: 64...1_048_576)
        limits.headSeconds = reader.integer(.headTimeout, in: 1...300)
        limits.bodySeconds = reader.integer(.bodyTimeout, in: 1...300)
        limits.idleSeconds = reader.integer(.idleTimeout, in: 1...3600)
        self.limits = limits
        let perSecond = reader.integer(.clientRate, in: 0...10_000)
        let burst = reader.integer(.clientBurst, in: 1...100_000)
        clientRate = perSecond == 0 ? nil : ClientRate(perSecond: perSecond, burst: burst)
        let path = source.text(.accessLog)
        let every = reader.integer(.accessLogEvery, in: 1...1_000_000)
        let masks = reader.flag(.accessLogMask)
        accessLog = path.isEmpty ? nil : AccessLog.Configuration(path: path, every: every, masksClients: masks)
        lameDuckSeconds = reader.integer(.lameDuck, in: 0...300)
        drainSeconds = reader.integer(.drainTimeout, in: 0...3600)
        if !reader.faults.isEmpty { throw ConfigurationFault(reader.faults.joined(separator: "\n")) }
    }
}

extension Settings {
    /// As the kernel has it; asking the resolver could take long.
    fileprivate static var machineName: String {
        let text = try? String(contentsOfFile: "/proc/sys/kernel/hostname", encoding: .utf8)
        return text?.trimmingCharacters(in: .whitespacesAndNewlines) ?? "unnamed"
    }
}

extension String {
    fileprivate var hasDefaultPort: Bool {
        hasPrefix("http://") && hasSuffix(":80") || hasPrefix("https://") && hasSuffix(":443")
    }
}

extension SettingsSource {
    /// Files of GeoIP databases; empty where none are asked for.
    public var geoIPPaths: [GeoIPDatabase.Kind: String] {
        [.country: text(.geoipCountry), .asn: text(.geoipASN)].filter { !$0.value.isEmpty }
    }
}

extension DatabaseURL {
    /// Where the state file lies unless it is told otherwise.
    var statePath: String {
        switch self {
        case .sqlite(let path): path + ".state"
        case .mysql: "video-balancer.state"
        }
    }

    /// Where the first API token is written.
    var tokenPath: String {
        switch self {
        case .sqlite(let path): path + ".token"
        case .mysql: "video-balancer.token"
        }
    }
}

/// Reads single settings and collects every fault.
struct SettingsReader {
    private let source: SettingsSource
    private(set) var faults: [String] = []

    init(_ source: SettingsSource) { self.source = source }

    mutating func note(_ setting: Setting, _ message: String) {
        faults.append(setting.isSecret ? "\(setting.environment) \(message)" : "--\(setting.name) (\(setting.environment)) \(message)")
    }

    mutating func integer(_ setting: Setting, in range: ClosedRange<Int>) -> Int {
        let text = source.text(setting)
        if let number = Int(text), range.contains(number) { return number }
        note(setting, "must be a whole number from \(range.lowerBound) to \(range.upperBound), is \"\(text)\"")
        return range.lowerBound
    }

    mutating func flag(_ setting: Setting) -> Bool {
        let text = source.text(setting)
        if !["on", "off"].contains(text) { note(setting, "must be on or off, is \"\(text)\"") }
        return text == "on"
    }

    mutating func names(_ setting: Setting) -> [String] {
        let names = source.text(setting).split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        if names.count > 64 { note(setting, "has \(names.count) names; at most 64 are taken") }
        for name in names where !HostNames.isName(name) {
            note(setting, "must list names such as balancer.example.com, without port, scheme or *; has \"\(name.prefix(80))\"")
        }
        return names
    }

    mutating func clientSource() -> ClientSource {
        var client = ClientSource()
        let texts = SettingsSource.list(source.text(.trustedProxies))
        if texts.count > 256 { note(.trustedProxies, "has \(texts.count) networks; at most 256 are taken: merge them into larger ones") }
        for text in texts {
            if let network = Network(text) {
                client.trustedProxies.append(network)
            } else {
                note(.trustedProxies, "must list networks such as 10.0.0.0/8 without bits beyond the prefix, has \"\(text)\"")
            }
        }
        let field = source.text(.forwardedField)
        client.field = ClientSource.Field(rawValue: field) ?? .xForwardedFor
        if client.field.rawValue != field { note(.forwardedField, "must be x-forwarded-for or forwarded, is \"\(field)\"") }
        return client
    }

    /// Origins as browsers write them (RFC 6454 §6.2): scheme and host in lower case, no default port, no path.
    mutating func origins(_ setting: Setting) -> [String] {
        let texts = source.text(setting).split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        if texts.count > 64 { note(setting, "has \(texts.count) origins; at most 64 are taken") }
        for text in texts
        where text.wholeMatch(of: /https?:\/\/([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[1-9][0-9]{0,4})?/) == nil || text.hasDefaultPort {
            note(
                setting,
                "must list origins such as https://player.example.com, in lower case and without path or default port, has \"\(text)\"")
        }
        return texts
    }

    /// Where HTTPS is spoken, and what with.
    mutating func tls() -> ([ListenAddress], [CertificatePlace]) {
        let addresses = SettingsSource.list(source.text(.listenTLS)).map { address(.listenTLS, $0) }
        let files = SettingsSource.list(source.text(.tlsCertificate))
        let keys = SettingsSource.list(source.text(.tlsKey))
        if addresses.isEmpty != files.isEmpty {
            note(
                addresses.isEmpty ? .tlsCertificate : .listenTLS,
                addresses.isEmpty
                    ? "is of no use without --\(Setting.listenTLS.name), the address for HTTPS"
                    : "needs --\(Setting.tlsCertificate.name); \(CertificatePlace.selfSignedName) makes one for a first try")
        }
        guard let places = CertificatePlace.places(certificates: files, keys: keys) else {
            note(
                .tlsKey, "names \(keys.count) keys, and there must be one for each certificate file, in their order; folders have their own"
            )
            return (addresses, [])
        }
        return (addresses, places)
    }

    mutating func address(_ setting: Setting) -> ListenAddress { address(setting, source.text(setting)) }

    private mutating func address(_ setting: Setting, _ text: String) -> ListenAddress {
        if let address = ListenAddress(text) { return address }
        note(setting, "must be an address with a port such as [::]:8000 or 127.0.0.1:8000, is \"\(text)\"")
        return ListenAddress.any
    }

    /// The setting, else the classic variables `DB_HOST` and its kin, else the default.
    mutating func database(_ setting: Setting) -> DatabaseURL {
        let text = source.text(setting)
        do {
            if text == setting.fallback, let hosts = source.variable("DB_HOST") { return .mysql(try classic(hosts)) }
            guard case .mysql(var address) = try DatabaseURL(text) else { return try DatabaseURL(text) }
            if address.password.isEmpty {
                address.password = try source.secret(named: "DB_PASS") ?? ""
                address.passwordFile = source.secretFile(named: "DB_PASS")
            }
            return .mysql(address)
        } catch let fault as ConfigurationFault {
            faults.append(fault.description)
        } catch {
            faults.append("--\(setting.name) (\(setting.environment)): \(error)")
        }
        return .sqlite(path: "")
    }

    private func classic(_ hosts: String) throws -> MySQLAddress {
        let port = source.variable("DB_PORT") ?? "\(MySQLAddress.standardPort)"
        guard let port = UInt16(port), port > 0 else { throw ConfigurationFault("DB_PORT must be a number from 1 to 65535") }
        guard let name = source.variable("DB_NAME") else { throw ConfigurationFault("DB_HOST is set, so DB_NAME must name the database") }
        guard let user = source.variable("DB_USER") else { throw ConfigurationFault("DB_HOST is set, so DB_USER must name the user") }
        do {
            var address = MySQLAddress(
                hosts: try MySQLAddress.hosts(Substring(SettingsSource.list(hosts).joined(separator: ",")), port: port), user: user,
                password: try source.secret(named: "DB_PASS") ?? "", name: name)
            address.passwordFile = source.secretFile(named: "DB_PASS")
            try address.check()
            return address
        } catch let error as StorageError {
            throw ConfigurationFault("DB_HOST, DB_PORT, DB_NAME, DB_USER, DB_PASS: \(error.detail)")
        }
    }
}
