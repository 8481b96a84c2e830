import Steering

/// Owns the connections of the fast path, and what it knows of them: by descriptor a generation, the second at which it is swept, and the
/// client's address. No partial requests.
///
/// The generation goes into the epoll tag: an event that was queued for a descriptor's former connection does not fit its next one.
struct ConnectionTable {
    private var generations: [UInt32] = []
    /// 0 is a free slot.
    private var deadlines: [UInt32] = []
    private var clients: [ClientAddress] = []
    private(set) var count = 0

    /// Descriptors and generations fit a tag; these two values are no connection's.
    static let listenerTag = UInt64.max
    static let wakeTag = UInt64.max - 1

    /// Takes a descriptor in.
    ///
    /// - Returns: the tag its events carry.
    mutating func insert(_ descriptor: consuming Descriptor, of client: ClientAddress, until deadline: UInt32) -> UInt64 {
        let number = descriptor.release()
        let slot = Int(number)
        if slot >= generations.count {
            let more = max(64, slot + 1 - generations.count, generations.count)
            generations += [UInt32](repeating: 0, count: more)
            deadlines += [UInt32](repeating: 0, count: more)
            clients += [ClientAddress](repeating: .unknown, count: more)
        }
        deadlines[slot] = max(1, deadline)
        clients[slot] = client
        count += 1
        return UInt64(generations[slot]) << 32 | UInt64(UInt32(bitPattern: number))
    }

    /// The descriptor of a tag, which the table keeps; nil when its connection is gone.
    func descriptor(of tag: UInt64) -> CInt? {
        let slot = Int(UInt32(truncatingIfNeeded: tag))
        guard slot < generations.count, deadlines[slot] != 0, generations[slot] == UInt32(truncatingIfNeeded: tag >> 32) else { return nil }
        return CInt(slot)
    }

    mutating func setDeadline(_ descriptor: CInt, _ deadline: UInt32) { deadlines[Int(descriptor)] = max(1, deadline) }

    /// The client of a connection in the table.
    func client(of descriptor: CInt) -> ClientAddress { clients[Int(descriptor)] }

    /// Gives the connection of a descriptor in the table away: the caller closes it or hands it over.
    mutating func remove(_ descriptor: CInt) -> Descriptor {
        let slot = Int(descriptor)
        deadlines[slot] = 0
        generations[slot] &+= 1
        count -= 1
        return Descriptor(owning: descriptor)
    }

    /// Descriptors whose time is over. A connection stays for the whole of its last second: its time began somewhere within one.
    func expired(at second: UInt32) -> [CInt] {
        deadlines.indices.lazy.filter { deadlines[$0] != 0 && deadlines[$0] < second }.map { CInt($0) }
    }

    var all: [CInt] { deadlines.indices.lazy.filter { deadlines[$0] != 0 }.map { CInt($0) } }
}
