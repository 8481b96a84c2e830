import Foundation
import GeoIP
import Glibc
public import Signing
import Steering
import TLS

/// The folder of keys that sign links: each file is a key and has its name.
public struct SigningKeyFolder: Sendable {
    public let path: String

    public init(path: String) { self.path = path }

    /// One file of it.
    public struct Entry: Sendable {
        public let name: String
        public let key: Result<SigningKey, SigningKey.Fault>
        /// Whether everybody on the machine may read it. Kubernetes mounts secrets so, in a container of their own.
        public let isOpenToAll: Bool
    }

    /// More files are no folder of keys.
    private static let most = 1000

    /// Names of keys in their order; other files, hidden ones among them, are passed over.
    ///
    /// - Throws: when the folder cannot be read.
    public func names() throws(SigningKey.Fault) -> [String] {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
            throw SigningKey.Fault("\(path) cannot be read: is it a folder, and may this user look into it?")
        }
        return Array(names.filter { LinkSigning.isKeyName($0) && !isFolder($0) }.sorted().prefix(SigningKeyFolder.most))
    }

    private func isFolder(_ name: String) -> Bool {
        var isFolder: ObjCBool = false
        // It writes into the local.
        return unsafe FileManager.default.fileExists(atPath: file(name), isDirectory: &isFolder) && isFolder.boolValue
    }

    public func file(_ name: String) -> String { "\(path)/\(name)" }

    func stamp(_ name: String) -> FileStamp? { FileStamp(path: file(name)) }

    /// Reads all of them.
    ///
    /// - Throws: when the folder cannot be read.
    public func entries() throws(SigningKey.Fault) -> [Entry] { try names().map(entry) }

    /// The keys that can be used, by name.
    public func keys() throws(SigningKey.Fault) -> [String: SigningKey] {
        Dictionary(try entries().compactMap { entry in (try? entry.key.get()).map { (entry.name, $0) } }) { $1 }
    }

    public func entry(_ name: String) -> Entry {
        var isOpen = false
        let key = Result { () throws(SigningKey.Fault) in try read(file(name), &isOpen) }
        return Entry(name: name, key: key, isOpenToAll: isOpen)
    }

    private func read(_ path: String, _ isOpen: inout Bool) throws(SigningKey.Fault) -> SigningKey {
        // Without waiting for somebody who writes, as a pipe would.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        // The text is copied before anything else can call strerror.
        guard descriptor >= 0 else { throw SigningKey.Fault("cannot be read: \(unsafe String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        var status = stat()
        // It writes into the local.
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw SigningKey.Fault("cannot be read: it is no regular file")
        }
        isOpen = status.st_mode & S_IROTH != 0
        var buffer = [UInt8](repeating: 0, count: SigningKey.maximumBytes + 1)
        defer { Secret.wipe(&buffer) }
        // By the system's own call: a library's buffer would not be wiped. It writes at most the capacity.
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
        guard count >= 0 else { throw SigningKey.Fault("cannot be read: its disk fails") }
        return try SigningKey(buffer.span.extracting(0..<count))
    }
}
