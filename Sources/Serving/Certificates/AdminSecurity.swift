import Control
import Logging
import Storage
import TLS

/// TLS of the control plane: the operator's files, and what is shown of them.
struct AdminSecurity: Sendable {
    let files: CertificateFiles
    /// Nil when clients are asked for no certificate.
    let clients: ClientAuthorityFile?
    let tls: ControlTLS

    /// - Throws: `ConfigurationFault` with what is wrong with the files.
    init(_ places: [CertificatePlace], clientAuthorities path: String?, logger: Logger) async throws {
        let now = { @Sendable in SystemClock.now() }
        files = CertificateFiles(
            places, setting: Setting.table.adminTLSCertificate, logger: logger, now: now, uptime: { SystemClock.uptime() })
        clients = path.map { ClientAuthorityFile($0, logger: logger, now: now) }
        _ = try await files.load()
        try await clients?.load()
        do {
            tls = try ControlTLS(await AdminSecurity.contents(files, clients))
        } catch {
            throw ConfigurationFault("\(Setting.table.adminTLSCertificate.names): cannot be used for TLS: \(error)")
        }
    }

    /// Reads the files again, and shows what they hold to who connects from now on.
    func look() async throws {
        let hasOtherClients = await clients?.look() ?? false
        guard await files.look() != nil || hasOtherClients else { return }
        do { try tls.replace(by: await AdminSecurity.contents(files, clients)) } catch {
            await files.isNotInUse("\(error)")
            throw error
        }
    }

    private static func contents(_ files: CertificateFiles, _ clients: ClientAuthorityFile?) async -> ControlTLS.Contents {
        let pem = await files.pem
        let byName = CertificatesByName(pem.map(\.certificate))
        let places = Dictionary(pem.enumerated().map { (ObjectIdentifier($1.certificate), $0) }) { $1 }
        // The other reader of these files passes over byte order marks.
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        return ControlTLS.Contents(
            pairs: pem.map { ($0.chain.replacing(mark, with: []), $0.key.replacing(mark, with: [])) },
            clientAuthorities: await clients?.pem.replacing(mark, with: [])
        ) { name in
            let certificates = name.flatMap { byName[$0.lowercased()] } ?? byName.standard
            return certificates.first.flatMap { places[ObjectIdentifier($0)] } ?? 0
        }
    }
}
