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
    /// Nil: each process has its own.
    let ticketKeysPath: String?
    public let admin: ListenAddress
    /// Empty when the control plane speaks without TLS.
    let adminCertificates: [CertificatePlace]
    /// A file of authorities that clients' certificates must come from; nil asks for none.
    public let adminClientCA: String?
    /// Whether the operator wants it without TLS, whoever reaches it.
    let allowsPlainAdmin: Bool
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
    let http2: HTTP2Use
    let probesLinkLocal: Bool
    public let clientSource: ClientSource
    public let expectsProxyHeader: Bool
    let credentialOrigins: [String]
    /// Files of GeoIP databases.
    let geoIPPaths: [GeoIPDatabase.Kind: String]
    /// Folder of keys that sign links; empty for none.
    let signingKeys: String
    let limits: Limits
    /// Nil without a limit.
    let clientRate: ClientRate?
    let accessLog: AccessLog.Configuration?
    let lameDuckSeconds: Int
    let drainSeconds: Int

    /// - Throws: `ConfigurationFault` with every fault, one a line.
    public init(_ source: SettingsSource) throws {
        var reader = SettingsReader(source)
        listen = reader.address(\.listen)
        (listenTLS, certificates) = reader.tls()
        ticketKeysPath = reader.ticketKeys(isTLS: !listenTLS.isEmpty)
        admin = reader.address(\.admin)
        adminCertificates = reader.adminTLS()
        let authorities = source.text(\.adminClientCA)
        adminClientCA = authorities.isEmpty ? nil : authorities
        allowsPlainAdmin = reader.isOn(\.adminPlain)
        adminNames = reader.names(\.adminNames) + [Settings.machineName]
        database = reader.database(\.database)
        let state = source.text(\.state)
        statePath = state.isEmpty ? database.statePath : state
        assets = source.text(\.assets)
        adminToken = try source.secret(named: Setting.table.adminToken.environment)?.trimmingCharacters(in: .whitespacesAndNewlines)
        if let adminToken, !(32...256).contains(adminToken.utf8.count) || !adminToken.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) {
            reader.note(\.adminToken, "must have 32 to 256 visible ASCII characters; make one with `openssl rand -hex 32`")
        }
        let name = source.text(\.nodeName)
        nodeName = name.isEmpty ? Settings.machineName : name
        if name.unicodeScalars.count > 255 || name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
            reader.note(\.nodeName, "must have at most 255 characters and no control characters")
        }
        let asked = reader.number(\.workers)
        workers = asked == 0 ? max(1, ProcessInfo.processInfo.activeProcessorCount) : asked
        usesFastPath = reader.isOn(\.fastPath)
        http2 = HTTP2Use(rawValue: reader.word(\.http2)) ?? .off
        probesLinkLocal = reader.isOn(\.probeLinkLocal)
        clientSource = reader.clientSource()
        expectsProxyHeader = reader.isOn(\.proxyProtocol)
        credentialOrigins = reader.origins(\.corsCredentialsOrigins)
        geoIPPaths = source.geoIPPaths
        if !geoIPPaths.isEmpty, !GeoIPDatabase.isSupported {
            reader.note(geoIPPaths[.country] == nil ? \.geoipASN : \.geoipCountry, "cannot be used: this program was built without GeoIP")
        }
        signingKeys = source.text(\.signingKeys)
        var limits = Limits()
        limits.target = reader.number(\.targetBytes)
        limits.head = reader.number(\.headBytes)
        limits.fields = reader.number(\.headFields)
        limits.body = reader.number(\.bodyBytes)
        limits.headSeconds = reader.number(\.headTimeout)
        limits.bodySeconds = reader.number(\.bodyTimeout)
        limits.idleSeconds = reader.number(\.idleTimeout)
        self.limits = limits
        let perSecond = reader.number(\.clientRate)
        let burst = reader.number(\.clientBurst)
        clientRate = perSecond == 0 ? nil : ClientRate(perSecond: perSecond, burst: burst)
        let path = source.text(\.accessLog)
        let every = reader.number(\.accessLogEvery)
        let masks = reader.isOn(\.accessLogMask)
        accessLog = path.isEmpty ? nil : AccessLog.Configuration(path: path, every: every, masksClients: masks)
        lameDuckSeconds = reader.number(\.lameDuck)
        drainSeconds = reader.number(\.drainTimeout)
        if !reader.faults.isEmpty { throw ConfigurationFault(reader.faults.joined(separator: "\n")) }
    }
}

extension Settings {
    public var adminSpeaksTLS: Bool { !adminCertificates.isEmpty }

    /// As the kernel has it; asking the resolver could take long.
    fileprivate static var machineName: String {
        let text = try? String(contentsOfFile: "/proc/sys/kernel/hostname", encoding: .utf8)
        return text?.trimmingCharacters(in: .whitespacesAndNewlines) ?? "unnamed"
    }
}

extension SettingsSource {
    /// Nil where none is set.
    public var signingKeyFolder: SigningKeyFolder? {
        let path = text(\.signingKeys)
        return path.isEmpty ? nil : SigningKeyFolder(path: path)
    }

    /// Files of GeoIP databases; empty where none are asked for.
    public var geoIPPaths: [GeoIPDatabase.Kind: String] {
        [.country: text(\.geoipCountry), .asn: text(\.geoipASN)].filter { !$0.value.isEmpty }
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
