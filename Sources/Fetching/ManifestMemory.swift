import NIOCore
import Playlist

/// What was fetched and is kept, within bounds, in two generations: what is looked at moves into the younger one, and when that has half of
/// the memory the older one is forgotten at once. So no look takes longer than two of a dictionary's, whatever is forgotten.
///
/// A value for the owner of a lock.
struct ManifestMemory {
    enum Content: Equatable {
        case forAll(Fetcher.Fetched)
        /// It is somebody's own, and each who asks has it fetched for himself.
        case forOne
    }

    fileprivate struct Entry {
        let content: Content
        var fresh: NIODeadline
        let stale: NIODeadline
        let size: Int
    }

    fileprivate struct Generation {
        private(set) var entries: [[UInt8]: Entry] = [:]
        private(set) var bytes = 0

        mutating func insert(_ entry: Entry, _ key: [UInt8]) {
            remove(key)
            entries[key] = entry
            bytes += entry.size
        }

        @discardableResult
        mutating func remove(_ key: [UInt8]) -> Entry? {
            guard let entry = entries.removeValue(forKey: key) else { return nil }
            bytes -= entry.size
            return entry
        }
    }

    /// What was forgotten: whoever lets go of it gives its memory back, which takes long for many.
    struct Forgotten {
        fileprivate var generations: [Generation] = []
        var isEmpty: Bool { generations.isEmpty }
    }

    private let maximumBytes: Int
    private let maximumCount: Int
    private var young = Generation()
    private var old = Generation()
    private var forgotten = Forgotten()
    /// Looks that found something for all.
    private(set) var hits: UInt64 = 0

    /// - Parameters:
    ///   - bytes: of what is kept, at most.
    ///   - count: of manifests, and of marks of what is none, at most.
    init(bytes: Int, count: Int) { (maximumBytes, maximumCount) = (bytes, count) }

    /// Bytes that are kept.
    var bytes: Int { young.bytes + old.bytes }

    mutating func fresh(_ key: [UInt8], _ now: NIODeadline) -> Content? {
        guard let entry = entry(key), now < entry.fresh else { return nil }
        if case .forAll = entry.content { hits += 1 }
        return entry.content
    }

    /// A manifest that may be given although it is over its time; it counts as fresh for `seconds` then.
    mutating func stale(_ key: [UInt8], _ now: NIODeadline, keeping seconds: Int) -> Manifest? {
        guard var entry = entry(key), now < entry.stale, case .forAll(.manifest(let manifest)) = entry.content else { return nil }
        entry.fresh = now + .seconds(Int64(seconds))
        young.insert(entry, key)
        return manifest
    }

    /// - Parameters:
    ///   - fresh: until when it is given to who asks.
    ///   - stale: until when it is given if there is nothing better.
    mutating func keep(_ content: Content, _ key: [UInt8], fresh: NIODeadline, stale: NIODeadline) {
        var size = key.count + 256
        if case .forAll(.manifest(let manifest)) = content { size += manifest.size }
        old.remove(key)
        young.remove(key)
        // What would push out everything else, and then itself, is not kept.
        guard size <= maximumBytes / 2 else { return }
        insert(Entry(content: content, fresh: fresh, stale: stale, size: size), key)
    }

    mutating func takeForgotten() -> Forgotten {
        defer { forgotten = Forgotten() }
        return forgotten
    }

    private mutating func entry(_ key: [UInt8]) -> Entry? {
        if let entry = young.entries[key] { return entry }
        guard let entry = old.remove(key) else { return nil }
        insert(entry, key)
        return entry
    }

    private mutating func insert(_ entry: Entry, _ key: [UInt8]) {
        if young.bytes + entry.size > maximumBytes / 2 || young.entries.count >= maximumCount / 2 {
            if !old.entries.isEmpty { forgotten.generations.append(old) }
            (old, young) = (young, Generation())
        }
        young.insert(entry, key)
    }
}
