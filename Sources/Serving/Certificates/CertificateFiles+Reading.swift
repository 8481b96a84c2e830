import Foundation
import Glibc
import TLS

/// What the files of one place hold, read without following pipes and within a limit.
extension CertificateFiles.Files {
    var name: String { if case .pair(let chain, _) = place { chain } else { "the self-signed certificate" } }
    /// `NAME.ocsp` beside `NAME.pem` or `NAME.crt`.
    var stapleName: String {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        let file = parts.last ?? ""
        let stem = file.lastIndex(of: ".").map { file[..<$0] } ?? file
        return (parts.dropLast() + [stem + ".ocsp"]).joined(separator: "/")
    }
    var keyName: String { if case .pair(_, let key) = place { key } else { "its key" } }

    /// More is no certificate.
    private static var maximum: Int { 1024 * 1024 }

    init(_ place: CertificatePlace, _ selfSigned: (chain: [UInt8], key: [UInt8])?) {
        self.place = place
        guard case .pair(let chain, let key) = place else {
            self.chain = selfSigned?.chain ?? []
            self.key = selfSigned?.key ?? []
            return
        }
        do {
            self.chain = try CertificateFiles.Files.read(chain)
            self.key = try CertificateFiles.Files.read(key)
        } catch {
            trouble = "\(error)"
        }
        guard FileManager.default.fileExists(atPath: stapleName) else { return }
        do { staple = try CertificateFiles.Files.read(stapleName) } catch { stapleTrouble = "\(error)" }
    }

    static func read(_ path: String) throws(TLSError) -> [UInt8] {
        // Without waiting for somebody who writes, as a pipe would.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0, let file = unsafe fdopen(descriptor, "r") else {
            throw TLSError("\(path) cannot be read: \(CertificateFiles.reason(errno))")
        }
        defer { unsafe fclose(file) }
        var status = stat()
        // It writes into the local.
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw TLSError("\(path) cannot be read: it is no regular file")
        }
        var isWhole = true
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: maximum + 1) { bytes, count in
            // It writes at most the capacity.
            count = unsafe fread(bytes.baseAddress, 1, bytes.count, file)
            isWhole = unsafe ferror(file) == 0
        }
        guard isWhole else { throw TLSError("\(path) cannot be read: its disk fails") }
        guard bytes.count <= maximum else { throw TLSError("\(path) is larger than a certificate with its chain can be") }
        return bytes
    }
}

extension CertificateFiles {
    /// The system's words for an error, and what to do where that is clear.
    static func reason(_ code: CInt) -> String {
        // The text is copied before anything else can call strerror.
        let words = unsafe String(cString: strerror(code))
        return code == EACCES ? "\(words): the user \(NSUserName()) must be able to read it and to enter its folders" : words
    }
}
