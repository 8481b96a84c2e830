import Synchronization

/// Where links of sessions have just led: who asks again in the same instant could not use it, since a player reloads a playlist after half
/// a target duration at the soonest (RFC 8216 §6.3.4), and blocking reloads differ in their query.
///
/// Of a fixed size, and without a lock: a link whose cell another one has taken is forgotten, which costs that player one more try. Any
/// thread.
@safe final class LinkMemory: Sendable {
    /// Half of the shortest target duration, less what a slow line adds; in milliseconds.
    static let instant: UInt64 = 400

    private static let cells = 1 << 16
    /// Bits of a time and of a target; the rest of a cell tells links apart.
    private static let (timeBits, targetBits): (UInt64, UInt64) = (24, 16)

    // Written in `init` and freed in `deinit` alone; between them every access is one atomic operation on a cell that exists.
    nonisolated(unsafe) private let memory: UnsafeMutablePointer<Atomic<UInt64>>

    init() {
        unsafe memory = UnsafeMutablePointer.allocate(capacity: LinkMemory.cells)
        for index in 0..<LinkMemory.cells { unsafe (memory + index).initialize(to: Atomic(0)) }
    }

    deinit {
        unsafe memory.deinitialize(count: LinkMemory.cells)
        unsafe memory.deallocate()
    }

    /// A link, by a hash of what it says.
    struct Link {
        fileprivate let index: Int
        fileprivate let tag: UInt64

        /// - Parameter hash: well mixed.
        init(_ hash: UInt64) {
            index = Int(hash % UInt64(LinkMemory.cells))
            tag = hash >> (LinkMemory.timeBits + LinkMemory.targetBits)
        }
    }

    /// The index of the CDN that the link led to in the instant before; nil when it did not.
    ///
    /// - Parameter now: milliseconds of a clock that nobody sets.
    func last(_ link: Link, now: UInt64) -> Int? {
        let cell = unsafe memory[link.index].load(ordering: .relaxed)
        let time = cell >> LinkMemory.targetBits & (1 << LinkMemory.timeBits - 1)
        let age = (now &- time) & (1 << LinkMemory.timeBits - 1)
        let target = Int(cell & (1 << LinkMemory.targetBits - 1))
        let isSame = cell >> (LinkMemory.timeBits + LinkMemory.targetBits) == link.tag
        return isSame && target > 0 && age < LinkMemory.instant ? target - 1 : nil
    }

    /// Remembers that the link leads there now.
    ///
    /// - Parameter cdn: nil for the origin, which nobody can be kept from.
    func remember(_ link: Link, cdn: Int?, now: UInt64) {
        let time = now & (1 << LinkMemory.timeBits - 1)
        let target = UInt64(cdn.map { $0 + 1 } ?? 0)
        unsafe memory[link.index].store(
            link.tag << (LinkMemory.timeBits + LinkMemory.targetBits) | time << LinkMemory.targetBits | target, ordering: .relaxed)
    }
}
