import Steering
import TLS

/// Owns the connections of the fast path, and what it knows of them: by descriptor a generation, the second at which it is swept, and the
/// client's address. No partial requests.
///
/// The generation goes into the epoll tag: an event that was queued for a descriptor's former connection does not fit its next one.
///
/// Slots stand in blocks, so that growing copies none: arrays that double would leave as much memory behind as they hold.
struct ConnectionTable {
    private struct Slot {
        var generation: UInt32 = 0
        /// 0 is a free slot.
        var deadline: UInt32 = 0
        var client = ClientAddress.unknown
    }

    private static let blockLength = 256
    private var blocks: [[Slot]] = []
    /// By descriptor, as far as there were any; beside the slots, which plain connections alone have.
    private var sessions: [TLSSession?] = []
    /// The same, of those that speak HTTP/2.
    private var http2: [HTTP2Connection?] = []
    private(set) var count = 0

    /// Descriptors and generations fit a tag; these values are no connection's, since no descriptor is negative.
    static var wakeTag: UInt64 { .max }
    /// Of listening sockets; the first one has the last tag.
    static var listenerTags: ClosedRange<UInt64> { UInt64.max - 0xFFFF...UInt64.max - 1 }

    /// The slot of a descriptor that was in the table once.
    private subscript(_ descriptor: CInt) -> Slot {
        get { blocks[Int(descriptor) / ConnectionTable.blockLength][Int(descriptor) % ConnectionTable.blockLength] }
        _modify { yield &blocks[Int(descriptor) / ConnectionTable.blockLength][Int(descriptor) % ConnectionTable.blockLength] }
    }

    /// Takes a descriptor in.
    ///
    /// - Returns: the tag its events carry.
    mutating func insert(_ descriptor: consuming Descriptor, of client: ClientAddress, until deadline: UInt32) -> UInt64 {
        let number = descriptor.release()
        while Int(number) >= blocks.count * ConnectionTable.blockLength {
            blocks.append([Slot](repeating: Slot(), count: ConnectionTable.blockLength))
        }
        self[number].deadline = max(1, deadline)
        self[number].client = client
        count += 1
        return UInt64(self[number].generation) << 32 | UInt64(UInt32(bitPattern: number))
    }

    /// What a tag is of.
    enum Owner: Equatable {
        /// The descriptor of a connection, which the table keeps.
        case connection(CInt)
        /// The connection is gone, and its descriptor belongs to no other connection of the table.
        case nobody(CInt)
        /// The connection is gone, and another one has its descriptor.
        case another
    }

    func owner(of tag: UInt64) -> Owner {
        let number = CInt(truncatingIfNeeded: tag & 0xFFFF_FFFF)
        guard number >= 0, Int(number) < blocks.count * ConnectionTable.blockLength, self[number].deadline != 0 else {
            return .nobody(number)
        }
        return self[number].generation == UInt32(truncatingIfNeeded: tag >> 32) ? .connection(number) : .another
    }

    /// The descriptor of a tag, which the table keeps; nil when its connection is gone.
    func descriptor(of tag: UInt64) -> CInt? { if case .connection(let number) = owner(of: tag) { number } else { nil } }

    mutating func setDeadline(_ descriptor: CInt, _ deadline: UInt32) { self[descriptor].deadline = max(1, deadline) }

    /// The client of a connection in the table.
    func client(of descriptor: CInt) -> ClientAddress { self[descriptor].client }

    /// The session of a connection in the table; nil for one without TLS.
    func session(of descriptor: CInt) -> TLSSession? { descriptor < sessions.count ? sessions[Int(descriptor)] : nil }

    mutating func setSession(_ session: TLSSession?, of descriptor: CInt) {
        if descriptor >= sessions.count {
            sessions += [TLSSession?](repeating: nil, count: max(ConnectionTable.blockLength, Int(descriptor) + 1 - sessions.count))
        }
        sessions[Int(descriptor)] = session
    }

    /// What a connection in the table knows of HTTP/2; nil for one that does not speak it.
    func http2(of descriptor: CInt) -> HTTP2Connection? { descriptor < http2.count ? http2[Int(descriptor)] : nil }

    mutating func setHTTP2(_ connection: HTTP2Connection?, of descriptor: CInt) {
        if descriptor >= http2.count {
            http2 += [HTTP2Connection?](repeating: nil, count: max(ConnectionTable.blockLength, Int(descriptor) + 1 - http2.count))
        }
        http2[Int(descriptor)] = connection
    }

    /// Gives the connection of a descriptor in the table away: the caller closes it or hands it over.
    mutating func remove(_ descriptor: CInt) -> Descriptor {
        if descriptor < sessions.count { sessions[Int(descriptor)] = nil }
        if descriptor < http2.count { http2[Int(descriptor)] = nil }
        self[descriptor].deadline = 0
        self[descriptor].generation &+= 1
        count -= 1
        return Descriptor(owning: descriptor)
    }

    /// Descriptors whose time is over. A connection stays for the whole of its last second: its time began somewhere within one.
    func expired(at second: UInt32) -> [CInt] { descriptors { $0 != 0 && $0 < second } }

    /// At most `count` of the connections that `mayEnd` and whose time is over at `second`, the soonest first.
    func soonest(_ count: Int, until second: UInt32, where mayEnd: (CInt, _ deadline: UInt32) -> Bool = { _, _ in true }) -> [CInt] {
        let candidates = descriptors { $0 != 0 && $0 <= second }.filter { mayEnd($0, self[$0].deadline) }
        guard candidates.count > count else { return candidates }
        return Array(candidates.sorted { self[$0].deadline < self[$1].deadline }.prefix(count))
    }

    var all: [CInt] { descriptors { $0 != 0 } }

    private func descriptors(_ isMeant: (_ deadline: UInt32) -> Bool) -> [CInt] {
        var found: [CInt] = []
        for (block, slots) in blocks.enumerated() {
            for (index, slot) in slots.enumerated() where isMeant(slot.deadline) {
                found.append(CInt(block * ConnectionTable.blockLength + index))
            }
        }
        return found
    }
}
