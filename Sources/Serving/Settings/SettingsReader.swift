import Edge
import Control
import Foundation
import Steering
import Storage

/// Reads single settings and collects every fault.
struct SettingsReader {
    private let source: SettingsSource
    private(set) var faults: [String] = []

    init(_ source: SettingsSource) { self.source = source }

    mutating func note(_ setting: KeyPath<SettingTable, Setting>, _ message: String) {
        faults.append("\(Setting.table[keyPath: setting].names) \(message)")
    }

    /// A number in the range that the table gives.
    mutating func number(_ setting: KeyPath<SettingTable, Setting>) -> Int {
        guard case .number(let range) = Setting.table[keyPath: setting].kind else {
            note(setting, "is not declared as a number")
            return 0
        }
        let text = source.text(setting)
        if let number = Int(text), range.contains(number) { return number }
        note(setting, "must be a whole number from \(range.words), is \"\(text)\"")
        return range.lowerBound
    }

    mutating func isOn(_ setting: KeyPath<SettingTable, Setting>) -> Bool { word(setting) == "on" }

    /// One of the words that the table lists.
    mutating func word(_ setting: KeyPath<SettingTable, Setting>) -> String {
        let text = source.text(setting)
        if case .choice(let words) = Setting.table[keyPath: setting].kind, !words.contains(text) {
            note(setting, "must be \(words.dropLast().joined(separator: ", ")) or \(words.last ?? ""), is \"\(text)\"")
        }
        return text
    }

    mutating func names(_ setting: KeyPath<SettingTable, Setting>) -> [String] {
        let names = source.text(setting).split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        if names.count > 64 { note(setting, "has \(names.count) names; at most 64 are taken") }
        for name in names where !HostNames.isName(name) {
            note(setting, "must list names such as balancer.example.com, without port, scheme or *; has \"\(name.prefix(80))\"")
        }
        return names
    }

    mutating func clientSource() -> ClientSource {
        var client = ClientSource()
        let texts = SettingsSource.list(source.text(\.trustedProxies))
        if texts.count > 256 { note(\.trustedProxies, "has \(texts.count) networks; at most 256 are taken: merge them into larger ones") }
        for text in texts {
            if let network = Network(text) {
                client.trustedProxies.append(network)
            } else {
                note(\.trustedProxies, "must list networks such as 10.0.0.0/8 without bits beyond the prefix, has \"\(text)\"")
            }
        }
        client.field = ClientSource.Field(rawValue: word(\.forwardedField)) ?? .xForwardedFor
        return client
    }

    /// Origins as browsers write them (RFC 6454 §6.2): scheme and host in lower case, no default port, no path.
    mutating func origins(_ setting: KeyPath<SettingTable, Setting>) -> [String] {
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

    /// Where HTTPS is spoken, and with which certificates.
    mutating func tls() -> ([ListenAddress], [CertificatePlace]) {
        let addresses = SettingsSource.list(source.text(\.listenTLS)).map { address(\.listenTLS, $0) }
        let files = SettingsSource.list(source.text(\.tlsCertificate))
        let keys = SettingsSource.list(source.text(\.tlsKey))
        if addresses.isEmpty, !files.isEmpty { note(\.tlsCertificate, "is of no use without --listen-tls, the address for HTTPS") }
        if !addresses.isEmpty, files.isEmpty {
            note(\.listenTLS, "needs --tls-certificate; \(CertificatePlace.selfSignedName) makes one for a first try")
        }
        return (addresses, places(files, keys, \.tlsKey))
    }

    /// The certificates of the control plane; none without TLS.
    mutating func adminTLS() -> [CertificatePlace] {
        let files = SettingsSource.list(source.text(\.adminTLSCertificate))
        let keys = SettingsSource.list(source.text(\.adminTLSKey))
        if files.isEmpty {
            if !keys.isEmpty { note(\.adminTLSKey, "is of no use without --admin-tls-certificate") }
            if !source.text(\.adminClientCA).isEmpty { note(\.adminClientCA, "is of no use without --admin-tls-certificate") }
            return []
        }
        return places(files, keys, \.adminTLSKey)
    }

    private mutating func places(_ files: [String], _ keys: [String], _ setting: KeyPath<SettingTable, Setting>) -> [CertificatePlace] {
        if let places = CertificatePlace.places(certificates: files, keys: keys) { return places }
        note(
            setting,
            "names \(keys.count) keys, and there must be one for each certificate file, in their order; a folder and "
                + "\(CertificatePlace.selfSignedName) have their own")
        return []
    }

    /// The file of a fleet's ticket keys.
    mutating func ticketKeys(isTLS: Bool) -> String? {
        let path = source.text(\.tlsTicketKeys)
        if path.isEmpty { return nil }
        if !isTLS { note(\.tlsTicketKeys, "is of no use without --listen-tls, the address for HTTPS") }
        return path
    }

    mutating func address(_ setting: KeyPath<SettingTable, Setting>) -> ListenAddress { address(setting, source.text(setting)) }

    private mutating func address(_ setting: KeyPath<SettingTable, Setting>, _ text: String) -> ListenAddress {
        if let address = ListenAddress(text) { return address }
        note(setting, "must be an address with a port such as [::]:8000 or 127.0.0.1:8000, is \"\(text)\"")
        return ListenAddress.any
    }

    /// The setting, else the classic variables `DB_HOST` and its kin, else the default.
    mutating func database(_ setting: KeyPath<SettingTable, Setting>) -> DatabaseURL {
        let text = source.text(setting)
        do {
            if text == Setting.table[keyPath: setting].fallback, let hosts = source.variable("DB_HOST") {
                return .mysql(try classic(hosts))
            }
            guard case .mysql(var address) = try DatabaseURL(text) else { return try DatabaseURL(text) }
            if address.password.isEmpty {
                address.password = try source.secret(named: "DB_PASS") ?? ""
                address.passwordFile = source.secretFile(named: "DB_PASS")
            }
            return .mysql(address)
        } catch let fault as ConfigurationFault {
            faults.append(fault.description)
        } catch {
            faults.append("\(Setting.table[keyPath: setting].names): \(error)")
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

extension String {
    fileprivate var hasDefaultPort: Bool {
        hasPrefix("http://") && hasSuffix(":80") || hasPrefix("https://") && hasSuffix(":443")
    }
}
