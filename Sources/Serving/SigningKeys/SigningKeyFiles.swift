import Dispatch
import GeoIP
import Logging
import Signing

/// The operator's keys that sign links: what is loaded of each, and what became of the newest file.
actor SigningKeyFiles {
    /// One of them. A key that was good stays when its file is no more, or is bad: viewers would pay for the mistake.
    struct Report: Sendable {
        let name: String
        fileprivate(set) var key: SigningKey?
        /// When it was loaded, in milliseconds since 1970-01-01 UTC.
        fileprivate(set) var loaded: Int64?
        /// Why the file as it is now is not what is loaded, or will not do in time.
        fileprivate(set) var trouble: String?
        fileprivate(set) var isOpenToAll = false
        fileprivate var stamp: FileStamp?

        /// For tests and for keys that no file has.
        init(name: String) { self.name = name }
    }

    /// Nil without one.
    let folder: SigningKeyFolder?
    private(set) var reports: [Report] = []
    /// Why the folder cannot be read.
    private(set) var trouble: String?
    private let logger: Logger
    private let now: @Sendable () -> Int64

    /// - Parameter path: empty for none.
    init(_ path: String, logger: Logger, now: @escaping @Sendable () -> Int64) {
        folder = path.isEmpty ? nil : SigningKeyFolder(path: path)
        self.logger = logger
        self.now = now
    }

    /// What is loaded, by name; nil without a folder.
    var keys: [String: SigningKey]? {
        folder.map { _ in Dictionary(reports.compactMap { report in report.key.map { (report.name, $0) } }) { $1 } }
    }

    /// Reads each file that is another than at the last look. What cannot be used is told once, and what was loaded before it stays.
    ///
    /// - Returns: whether `keys` are others now.
    func look() async -> Bool {
        guard let folder else { return false }
        var isChanged = false
        do throws(SigningKey.Fault) {
            let (names, stamps) = try await SigningKeyFiles.list(folder)
            trouble = nil
            for (name, stamp) in zip(names, stamps) {
                let index = index(of: name)
                if reports[index].stamp == stamp, stamp != nil { continue }
                // Before it is read: what is written meanwhile is seen at the next look.
                reports[index].stamp = stamp
                isChanged = take(await SigningKeyFiles.read(folder, name), at: index) || isChanged
            }
            for index in reports.indices where !names.contains(reports[index].name) { lose(index) }
        } catch {
            if trouble != error.description {
                logger.error("the folder of signing keys cannot be read: keys loaded before stay", metadata: ["error": "\(error)"])
            }
            trouble = error.description
        }
        return isChanged
    }

    private func index(of name: String) -> Int {
        if let index = reports.firstIndex(where: { $0.name == name }) { return index }
        reports.append(Report(name: name))
        return reports.count - 1
    }

    private func take(_ entry: SigningKeyFolder.Entry, at index: Int) -> Bool {
        let file = folder?.file(entry.name) ?? entry.name
        if entry.isOpenToAll, !reports[index].isOpenToAll {
            logger.warning("everybody on this machine may read a signing key: chmod 600 it", metadata: ["file": "\(file)"])
        }
        reports[index].isOpenToAll = entry.isOpenToAll
        switch entry.key {
        case .success(let key):
            reports[index].key = key
            reports[index].loaded = now()
            reports[index].trouble = key.warning
            if let warning = key.warning {
                logger.warning("a signing key needs a line", metadata: ["file": "\(file)", "error": "\(warning)"])
            }
            logger.notice("signing key loaded", metadata: ["file": "\(file)", "fingerprint": "\(SigningKey.fingerprint(key.current))"])
            return true
        case .failure(let fault):
            if reports[index].trouble == fault.description { return false }
            reports[index].trouble = fault.description
            logger.error(
                reports[index].key == nil
                    ? "the signing key cannot be used: targets that need it get no redirects until a good file is there"
                    : "the new signing key cannot be used: the one loaded before stays until a good file is there",
                metadata: ["file": "\(file)", "error": "\(fault)"])
            return false
        }
    }

    private func lose(_ index: Int) {
        guard reports[index].stamp != nil else { return }
        reports[index].stamp = nil
        reports[index].trouble = "the file is gone; the key that it had is in use until the balancer ends"
        logger.error(
            "the file of a signing key is gone: its key stays in use until the balancer ends",
            metadata: ["file": "\(folder?.file(reports[index].name) ?? reports[index].name)"])
    }

    /// On a thread of the system's: a disk may hang, and the few that tasks run on are wanted elsewhere.
    private static func list(_ folder: SigningKeyFolder) async throws(SigningKey.Fault) -> ([String], [FileStamp?]) {
        let result = await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(
                    returning: Result { () throws(SigningKey.Fault) in
                        let names = try folder.names()
                        return (names, names.map { folder.stamp($0) })
                    })
            }
        }
        return try result.get()
    }

    private static func read(_ folder: SigningKeyFolder, _ name: String) async -> SigningKeyFolder.Entry {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: folder.entry(name)) }
        }
    }
}
