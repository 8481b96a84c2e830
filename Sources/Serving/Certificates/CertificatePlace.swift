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

    static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        // It writes into the local.
        return unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }

    /// Whether its files lie in the folder, or in one that is in it.
    func isBelow(_ folder: String) -> Bool {
        guard case .pair(let chain, _) = self else { return false }
        return chain.hasPrefix(folder + "/")
    }
}
