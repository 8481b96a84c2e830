import Foundation

/// Where a certificate with its key comes from.
enum CertificatePlace: Sendable, Hashable {
    /// Files; both may be one.
    case pair(chain: String, key: String)
    /// All pairs of a folder and of the folders in it.
    case folder(String)
    /// Made at the start, for a first try.
    case selfSigned

    /// What stands in a setting for a certificate that is made at the start.
    static let selfSignedName = "self-signed"

    /// Puts certificates and keys of the settings together, in their order.
    ///
    /// - Parameter keys: none where the files of certificates have them too.
    /// - Returns: nil when there are more or fewer keys than files of certificates.
    static func places(certificates: [String], keys: [String]) -> [CertificatePlace]? {
        let files = certificates.filter { $0 != selfSignedName && !isFolder($0) }
        guard keys.isEmpty || keys.count == files.count else { return nil }
        var left = (keys.isEmpty ? files : keys)[...]
        return certificates.map { certificate in
            if certificate == selfSignedName { return .selfSigned }
            if isFolder(certificate) { return .folder(certificate) }
            return .pair(chain: certificate, key: left.removeFirst())
        }
    }

    private static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        // It writes into the local.
        return unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }

    /// The pairs of a folder and of the folders in it, in the order of their names: `NAME.pem` or `NAME.crt` beside `NAME.key`, and
    /// `fullchain.pem` beside `privkey.pem` as certbot has them.
    static func pairs(in folder: String) -> [CertificatePlace] {
        let names = list(folder)
        let folders = names.map { "\(folder)/\($0)" }.filter(isFolder)
        return pairs(names, in: folder) + folders.flatMap { pairs(list($0), in: $0) }
    }

    private static func pairs(_ names: [String], in folder: String) -> [CertificatePlace] {
        names.compactMap { name in
            for ending in [".pem", ".crt"] where name.hasSuffix(ending) {
                let key = name == "fullchain.pem" ? "privkey.pem" : name.dropLast(4) + ".key"
                if names.contains(key) { return .pair(chain: "\(folder)/\(name)", key: "\(folder)/\(key)") }
            }
            return nil
        }
    }

    /// Without hidden ones: Kubernetes keeps the files of its volumes in one, and links to them.
    private static func list(_ folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { !$0.hasPrefix(".") }.sorted()
    }
}
