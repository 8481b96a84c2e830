import Control
import Foundation
import Logging
import Storage

/// TLS of the control plane: the operator's files, and what is shown of them.
struct AdminSecurity: Sendable {
    let files: CertificateFiles
    let tls: ControlTLS

    /// - Throws: `ConfigurationFault` with what is wrong with the files.
    init(_ place: CertificatePlace, clientAuthorities path: String?, logger: Logger) async throws {
        files = CertificateFiles(
            [place], setting: Setting.table.adminTLSCertificate, logger: logger, now: { SystemClock.now() },
            uptime: { SystemClock.uptime() })
        _ = try await files.load()
        let pem = try await AdminSecurity.pem(files)
        let authorities = try path.map { try AdminSecurity.authorities(at: $0) }
        do {
            tls = try ControlTLS(chain: pem.chain, key: pem.key, clientAuthorities: authorities)
        } catch .certificate(let why) {
            throw ConfigurationFault("\(Setting.table.adminTLSCertificate.names): cannot be used for TLS: \(why)")
        } catch .authorities {
            throw ConfigurationFault(
                "\(Setting.table.adminClientCA.names): \(path ?? "") has no certificate that can be read; it must be PEM: BEGIN CERTIFICATE"
            )
        }
    }

    /// Shows what the files hold now.
    func renew() async throws {
        let pem = try await AdminSecurity.pem(files)
        try tls.replace(chain: pem.chain, key: pem.key)
    }

    private static func pem(_ files: CertificateFiles) async throws -> (chain: [UInt8], key: [UInt8]) {
        guard let pem = await files.first else {
            throw ConfigurationFault("\(Setting.table.adminTLSCertificate.names): there is no certificate any more")
        }
        // The other reader of these files passes over byte order marks.
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        return (pem.chain.replacing(mark, with: []), pem.key.replacing(mark, with: []))
    }

    private static func authorities(at path: String) throws -> [UInt8] {
        do { return [UInt8](try Data(contentsOf: URL(filePath: path))) } catch {
            throw ConfigurationFault("\(Setting.table.adminClientCA.names): \(path) cannot be read: \(error.localizedDescription)")
        }
    }
}
