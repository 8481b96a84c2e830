import Steering
import Synchronization

/// Signatures by private keys, kept for the links of a film: whoever asks for a film's next file, and whoever else asks for the film, needs the
/// same one.
///
/// Of a fixed size. Reading takes no lock and allocates nothing: a reader that is overtaken by a writer takes the signature as missing. What
/// was used lately stays before what was not, so that many who ask for anything push nobody's film out. Texts are known by a hash with a
/// secret of this process, so that nobody can choose two that meet. Any thread.
@safe final class SignatureTable: Sendable {
    /// Words of a slot: a count of its changes, the key's two, whether it was read since the hand came by, the signature's length, and itself.
    private static let (version, high, low, isUsed, length, content) = (0, 1, 2, 3, 4, 5)
    private static let width = content + Signature.words
    /// Slots in which a text may stand.
    private static let ways = 8

    private let sets: Int
    private let seed: (UInt64, UInt64)
    // Written in `init` and freed in `deinit` alone; between them every access is one atomic operation on a word that exists.
    nonisolated(unsafe) private let memory: UnsafeMutablePointer<Atomic<UInt64>>
    /// Writers come one by one.
    private let writing = Mutex(())

    /// - Parameter capacity: signatures; 300 bytes for each.
    init(capacity: Int) {
        sets = max(1, capacity / SignatureTable.ways)
        seed = (UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max))
        let count = sets * SignatureTable.ways * SignatureTable.width
        unsafe memory = UnsafeMutablePointer.allocate(capacity: count)
        for index in 0..<count { unsafe (memory + index).initialize(to: Atomic(0)) }
    }

    deinit {
        unsafe memory.deinitialize(count: sets * SignatureTable.ways * SignatureTable.width)
        unsafe memory.deallocate()
    }

    /// By what a text, signed by a key, is known.
    ///
    /// - Parameter signer: tells keys apart.
    func key(of text: borrowing Span<UInt8>, signer: UInt64) -> SignatureWork.Key {
        SignatureWork.Key(high: hash(text, signer, seed.0), low: hash(text, signer, seed.1))
    }

    private func hash(_ text: borrowing Span<UInt8>, _ signer: UInt64, _ seed: UInt64) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(seed)
        hasher.combine(signer)
        // It reads the text during the call.
        unsafe text.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }

    private func slot(_ key: SignatureWork.Key, _ way: Int) -> Int {
        (Int(truncatingIfNeeded: key.high % UInt64(sets)) * SignatureTable.ways + way) * SignatureTable.width
    }

    private func load(_ index: Int, _ ordering: AtomicLoadOrdering = .relaxed) -> UInt64 {
        ordering == .acquiring ? unsafe memory[index].load(ordering: .acquiring) : unsafe memory[index].load(ordering: .relaxed)
    }

    private func isAt(_ slot: Int, _ key: SignatureWork.Key) -> Bool {
        load(slot + SignatureTable.high) == key.high && load(slot + SignatureTable.low) == key.low
            && load(slot + SignatureTable.length) > 0
    }

    /// Whether a signature is there.
    func contains(_ key: SignatureWork.Key) -> Bool {
        for way in 0..<SignatureTable.ways where isAt(slot(key, way), key) { return true }
        return false
    }

    /// The signature of a text; nil when it is not there, or is written this moment.
    func signature(_ key: SignatureWork.Key) -> Signature? {
        for way in 0..<SignatureTable.ways {
            let slot = slot(key, way)
            guard isAt(slot, key) else { continue }
            let before = unsafe memory[slot + SignatureTable.version].load(ordering: .acquiring)
            var signature = Signature()
            signature.count = Int(load(slot + SignatureTable.length))
            for word in 0..<Signature.words { signature.content[word] = load(slot + SignatureTable.content + word) }
            atomicMemoryFence(ordering: .acquiring)
            let isWhole = before % 2 == 0 && isAt(slot, key) && load(slot + SignatureTable.version) == before
            guard isWhole, signature.count <= Signature.maximum else { return nil }
            // Written by the first reader after the hand alone: others would take the line from each other.
            if load(slot + SignatureTable.isUsed) == 0 {
                unsafe memory[slot + SignatureTable.isUsed].store(1, ordering: .relaxed)
            }
            return signature
        }
        return nil
    }

    /// Keeps a signature.
    func keep(_ signature: Signature, _ key: SignatureWork.Key) {
        writing.withLock { _ in
            let slot = slot(key, way(for: key))
            let version = load(slot + SignatureTable.version)
            unsafe memory[slot + SignatureTable.version].store(version &+ 1, ordering: .relaxed)
            atomicMemoryFence(ordering: .releasing)
            store(key.high, slot + SignatureTable.high)
            store(key.low, slot + SignatureTable.low)
            store(0, slot + SignatureTable.isUsed)
            store(UInt64(signature.count), slot + SignatureTable.length)
            for word in 0..<Signature.words { store(signature.content[word], slot + SignatureTable.content + word) }
            unsafe memory[slot + SignatureTable.version].store(version &+ 2, ordering: .releasing)
        }
    }

    private func store(_ word: UInt64, _ index: Int) { unsafe memory[index].store(word, ordering: .relaxed) }

    /// Where a signature goes: to its place, to a free one, to one that nobody has read since the last time, or to any.
    private func way(for key: SignatureWork.Key) -> Int {
        let ways = 0..<SignatureTable.ways
        if let own = ways.first(where: { isAt(slot(key, $0), key) || load(slot(key, $0) + SignatureTable.length) == 0 }) { return own }
        if let unread = ways.first(where: { load(slot(key, $0) + SignatureTable.isUsed) == 0 }) { return unread }
        for way in ways { store(0, slot(key, way) + SignatureTable.isUsed) }
        return Int(truncatingIfNeeded: key.low % UInt64(SignatureTable.ways))
    }
}

/// The signatures of a process: their table is made when the first catalog needs it, since it takes five megabytes.
public final class KeptSignatures: Sendable {
    private let made = Mutex<SignatureTable?>(nil)
    private let capacity: Int

    public init(capacity: Int = 16_384) { self.capacity = capacity }

    var table: SignatureTable {
        made.withLock { made in
            let table = made ?? SignatureTable(capacity: capacity)
            made = table
            return table
        }
    }
}

/// The bytes of a signature, without allocating.
struct Signature {
    static let words = 32
    static let maximum = 8 * words

    var content = InlineArray<32, UInt64>(repeating: 0)
    var count = 0

    init() {}

    /// - Parameter bytes: at most `maximum`; of more there is none.
    init?(_ bytes: [UInt8]) {
        guard (1...Signature.maximum).contains(bytes.count) else { return nil }
        count = bytes.count
        for (index, byte) in bytes.enumerated() { content[index / 8] |= UInt64(byte) << UInt64(8 * (index % 8)) }
    }

    subscript(index: Int) -> UInt8 { UInt8(truncatingIfNeeded: content[index / 8] >> UInt64(8 * (index % 8))) }
}
