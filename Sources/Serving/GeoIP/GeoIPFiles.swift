import Dispatch
public import GeoIP
import Logging
public import Steering

/// The operator's GeoIP databases: what is loaded of each, and what became of the newest file.
actor GeoIPFiles {
    /// One of them.
    struct Report: Sendable {
        let kind: GeoIPDatabase.Kind
        let path: String
        /// The newest one that was good.
        fileprivate(set) var database: GeoIPDatabase?
        /// When it was loaded, in milliseconds since 1970-01-01 UTC.
        fileprivate(set) var loaded: Int64?
        /// Why the file as it is now is not what is loaded.
        fileprivate(set) var trouble: String?
        fileprivate(set) var accepted = 0
        fileprivate(set) var refused = 0
        /// The file when it was last read; nil while there was none. Outer nil before the first look.
        fileprivate var stamp: FileStamp??
    }

    private(set) var reports: [Report]
    private let logger: Logger
    private let now: @Sendable () -> Int64

    init(_ paths: [GeoIPDatabase.Kind: String], logger: Logger, now: @escaping @Sendable () -> Int64) {
        reports = GeoIPDatabase.Kind.allCases.compactMap { kind in paths[kind].map { Report(kind: kind, path: $0) } }
        self.logger = logger
        self.now = now
    }

    /// What is known of clients by all that is loaded.
    var geography: Geography {
        Geography(reports.reduce(into: [:]) { $0[$1.kind] = $1.database })
    }

    /// Reads each file that is another than at the last look. What cannot be used is told once, and what was loaded before it stays.
    ///
    /// - Returns: whether `geography` is another now.
    func look() async -> Bool {
        var isChanged = false
        for index in reports.indices {
            let path = reports[index].path
            let stamp = FileStamp(path: path)
            if reports[index].stamp == .some(stamp) { continue }
            // Before it is read: what is written meanwhile is seen at the next look.
            reports[index].stamp = .some(stamp)
            do {
                take(try await GeoIPFiles.read(reports[index].kind, path), at: index)
                isChanged = true
            } catch {
                refuse(error, at: index)
            }
        }
        return isChanged
    }

    private func take(_ database: GeoIPDatabase, at index: Int) {
        reports[index].database = database
        reports[index].loaded = now()
        reports[index].trouble = nil
        reports[index].accepted += 1
        logger.notice(
            "GeoIP database loaded",
            metadata: [
                "file": "\(reports[index].path)", "type": "\(database.type)", "built": "\(BalancerNode.time(database.built * 1000))",
                "intervals": "\(database.map.intervals)",
            ])
    }

    private func refuse(_ error: GeoIPError, at index: Int) {
        reports[index].trouble = error.detail
        reports[index].refused += 1
        let kind = reports[index].kind.rawValue
        logger.warning(
            reports[index].database == nil
                ? "the GeoIP database cannot be used: rules by \(kind) match nobody until a good file is there"
                : "the new GeoIP database cannot be used: the one loaded before stays until a good file is there",
            metadata: ["file": "\(reports[index].path)", "error": "\(error.detail)"])
    }

    /// On a thread of the system's: a large file takes a second or two, and the few that tasks run on are wanted elsewhere.
    private static func read(_ kind: GeoIPDatabase.Kind, _ path: String) async throws(GeoIPError) -> GeoIPDatabase {
        let result = await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(returning: Result { () throws(GeoIPError) in try GeoIPDatabase(kind, path: path) })
            }
        }
        return try result.get()
    }
}

extension Geography {
    public init(_ databases: [GeoIPDatabase.Kind: GeoIPDatabase]) {
        self.init(countries: databases[.country]?.map, asns: databases[.asn]?.map)
    }
}
