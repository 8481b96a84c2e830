import Steering
import Synchronization

/// The last good catalog and the sequences in a file, so that the balancer starts and redirects with the database down.
///
/// Each save replaces the file at once (write beside, fsync, rename, fsync of the folder) and keeps the one before as
/// `PATH.previous`, so that a kill or power cut at any point leaves a whole file. Copies of one value share what they remember.
public struct StateFile: Sendable {
    /// A longer file is neither written nor read.
    public static let maximum = 16 << 20

    public let path: String
    private let memory = Memory()

    public init(path: String) { self.path = path }

    /// The newest whole state, if any, and what was passed over on the way to it.
    public struct Loaded: Sendable, Equatable {
        public let state: SavedState?
        /// The file the state is from; nil without a state.
        public let source: String?
        /// Files that could not be used, in the order they were tried. Empty with a state: all is well; empty without one: a first start.
        public let passedOver: [PassedOver]
    }

    public struct PassedOver: Sendable, Equatable, CustomStringConvertible {
        public let path: String
        public let reason: String
        public var description: String { "\(path): \(reason)" }
    }

    /// Reads the file, or else the one before it. Never fails: a start without a state is a start from the database alone.
    ///
    /// Blocks on the disk.
    public func load() -> Loaded {
        memory.lock.withLock { remembered in
            var passedOver: [PassedOver] = []
            var absent: [PassedOver] = []
            for candidate in [path, previous] {
                do {
                    guard let bytes = try DurableFile.read(candidate, maximum: StateFile.maximum) else {
                        absent.append(PassedOver(path: candidate, reason: "there is no such file"))
                        continue
                    }
                    let state = try SavedState(text: bytes)
                    // An absent first file is worth a line only when a second one exists.
                    remembered.isGood = candidate == path
                    return Loaded(state: state, source: candidate, passedOver: absent + passedOver)
                } catch let unusable as SavedState.Unusable {
                    passedOver.append(PassedOver(path: candidate, reason: unusable.reason))
                } catch {
                    passedOver.append(PassedOver(path: candidate, reason: "\(error)"))
                }
            }
            remembered.isGood = false
            return Loaded(state: nil, source: nil, passedOver: passedOver)
        }
    }

    /// Replaces the file; returns when the new one is on the disk. Blocks on the disk, so call it off the event loops.
    ///
    /// - Throws: `.full`, `.readOnly`, `.cannotOpen` or `.io` as the file system says; `.locked` while another process saves to the
    ///   same path; `.refused` when the text would be too long. The file is then as it was.
    public func save(_ state: SavedState) throws(StorageError) {
        try memory.lock.withLock { remembered throws(StorageError) in
            if remembered.catalog?.value != state.catalog { remembered.catalog = (state.catalog, state.catalog.document.json) }
            let bytes = state.text(catalogText: remembered.catalog?.text ?? state.catalog.document.json)
            guard bytes.count <= StateFile.maximum else {
                throw StorageError(.refused, at: path, "the state has \(bytes.count) bytes; at most \(StateFile.maximum) are read back")
            }
            // A file that was not read or written whole by this process must not push out a previous one that is whole.
            try DurableFile.replace(path, with: bytes, keeping: remembered.isGood ? previous : nil)
            remembered.isGood = true
        }
    }

    private var previous: String { path + ".previous" }

    private final class Memory: Sendable {
        struct Remembered: Sendable {
            /// Saving runs every second and the catalog seldom changes, so its text is kept.
            var catalog: (value: Catalog, text: String)?
            /// Whether the file at `path` is known to be whole.
            var isGood = false
        }

        let lock = Mutex(Remembered())
    }
}
