import Foundation
import Glibc

/// What lies in a folder of certificates, and in the folders in it.
struct CertificateFolder {
    /// In the order of their names.
    var pairs: [CertificatePlace] = []
    /// Of it and the folders in it, those that cannot be read, and why.
    var unreadable: [String: String] = [:]

    init(_ path: String) {
        let names = list(path)
        pairs = CertificateFolder.pairs(names, in: path)
        for folder in names.map({ "\(path)/\($0)" }) where CertificatePlace.isFolder(folder) {
            pairs += CertificateFolder.pairs(list(folder), in: folder)
        }
    }

    /// `NAME.pem` or `NAME.crt` beside `NAME.key`, and `fullchain.pem` beside `privkey.pem` as certbot has them.
    private static func pairs(_ names: [String], in folder: String) -> [CertificatePlace] {
        let all = Set(names)
        return names.compactMap { name in
            for ending in [".pem", ".crt"] where name.hasSuffix(ending) {
                let key = name == "fullchain.pem" ? "privkey.pem" : name.dropLast(4) + ".key"
                if all.contains(key) { return .pair(chain: "\(folder)/\(name)", key: "\(folder)/\(key)") }
            }
            return nil
        }
    }

    /// Without hidden ones: Kubernetes keeps the files of its volumes in one, and links to them.
    private mutating func list(_ folder: String) -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: folder).filter { !$0.hasPrefix(".") }.sorted()
        } catch {
            // Asked again, for the reason in the system's own words; the path is lent for the call.
            let code = unsafe access(folder, R_OK | X_OK) == 0 ? EIO : errno
            unreadable[folder] = CertificateFiles.reason(code)
            return []
        }
    }
}
