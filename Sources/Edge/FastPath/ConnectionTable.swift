/// What the fast path knows of its connections: by descriptor a generation and the second at which it is swept. No partial requests.
///
/// The generation goes into the epoll tag: an event that was queued for a descriptor's former connection does not fit its next one.
struct ConnectionTable {
    private var generations: [UInt32] = []
    /// 0 is a free slot.
    private var deadlines: [UInt32] = []
    private(set) var count = 0

    /// Descriptors and generations fit a tag; these two values are no connection's.
    static let listenerTag = UInt64.max
    static let wakeTag = UInt64.max - 1

    /// Takes a descriptor in.
    ///
    /// - Returns: the tag its events carry.
    mutating func insert(_ descriptor: CInt, until deadline: UInt32) -> UInt64 {
        let slot = Int(descriptor)
        if slot >= generations.count {
            let more = max(64, slot + 1 - generations.count, generations.count)
            generations += [UInt32](repeating: 0, count: more)
            deadlines += [UInt32](repeating: 0, count: more)
        }
        deadlines[slot] = max(1, deadline)
        count += 1
        return UInt64(generations[slot]) << 32 | UInt64(UInt32(bitPattern: descriptor))
    }

    /// The descriptor of a tag; nil when its connection is gone.
    func descriptor(of tag: UInt64) -> CInt? {
        let slot = Int(UInt32(truncatingIfNeeded: tag))
        guard slot < generations.count, deadlines[slot] != 0, generations[slot] == UInt32(truncatingIfNeeded: tag >> 32) else { return nil }
        return CInt(slot)
    }

    mutating func setDeadline(_ descriptor: CInt, _ deadline: UInt32) { deadlines[Int(descriptor)] = max(1, deadline) }

    /// Forgets a descriptor, before it is closed or handed over.
    mutating func forget(_ descriptor: CInt) {
        let slot = Int(descriptor)
        // One that is answered right after accept has never been taken in.
        guard slot < deadlines.count, deadlines[slot] != 0 else { return }
        deadlines[slot] = 0
        generations[slot] &+= 1
        count -= 1
    }

    /// Descriptors whose time is over.
    func expired(at second: UInt32) -> [CInt] {
        deadlines.indices.lazy.filter { deadlines[$0] != 0 && deadlines[$0] <= second }.map { CInt($0) }
    }

    var all: [CInt] { expired(at: .max) }
}
