#if GeoIP
import CMaxMindDB
import Steering

/// An open file in MaxMind's format (<https://maxmind.github.io/MaxMind-DB/>): a binary tree over the bits of an address, whose leaves
/// point at records.
@safe struct MaxMindFile: ~Copyable {
    struct Fault: Error {
        let detail: String
    }

    // unsafe: libmaxminddb's handle; entries point back at it, so it stays in one place from open to close.
    private let handle: UnsafeMutablePointer<MMDB_s>

    init(_ path: String) throws(Fault) {
        // Allocated here, freed by deinit or, when there is nothing to close, at once.
        let handle = UnsafeMutablePointer<MMDB_s>.allocate(capacity: 1)
        // unsafe: MMDB_open fills the handle; the path is lent for the call.
        let status = unsafe MMDB_open(path, UInt32(MMDB_MODE_MMAP), handle)
        guard status == MMDB_SUCCESS else {
            unsafe handle.deallocate()
            throw Fault(detail: "is no GeoIP database in MaxMind's format, or is cut: \(MaxMindFile.reason(status))")
        }
        unsafe self.handle = handle
    }

    deinit {
        // unsafe: opened by init, and nothing read of it is kept.
        unsafe MMDB_close(handle)
        unsafe handle.deallocate()
    }

    /// At most 80 characters of it.
    // unsafe: the open handle's metadata, checked by MMDB_open; its text is copied.
    var type: String { unsafe handle.pointee.metadata.database_type.map { unsafe String(String(cString: $0).prefix(80)) } ?? "" }

    /// Before the year 10000, whatever the file says.
    // unsafe: as above.
    var built: Int64 { unsafe Int64(min(handle.pointee.metadata.build_epoch, 253_402_300_799)) }

    /// Every network's value in one map.
    ///
    /// - Throws: when the tree is broken, or no network has a field of this kind.
    func map(of kind: GeoIPDatabase.Kind) throws(Fault) -> AddressMap {
        var walk = unsafe Walk(handle, kind)
        let map = try walk.whole()
        guard walk.hasFound else { throw Fault(detail: "has no \(kind.field); its type is \"\(type)\"") }
        return map
    }

    // unsafe: the library's own text of an error, which is static.
    fileprivate static func reason(_ status: CInt) -> String { unsafe String(cString: MMDB_strerror(status)) }
}

/// One walk over a tree, from the lowest address to the highest.
@safe private struct Walk {
    /// What a side of a node leads to.
    private enum Record {
        case node(UInt32)
        /// A record at this offset.
        case data(UInt32)
        case nothing
    }

    // unsafe: open as long as the file that makes the walk.
    private let handle: UnsafeMutablePointer<MMDB_s>
    private let kind: GeoIPDatabase.Kind
    /// Nodes that may still be met. A broken tree may have rings, or lead to the same place by more ways than can be walked.
    private var patience: Int
    /// Values of records by offset: far fewer than networks.
    private var values: [UInt32: UInt32] = [:]
    /// Where IPv4 begins in a tree for IPv6.
    private var ipv4Root: UInt32?
    private var map = AddressMap()

    /// About the nodes of the largest databases, times four; they make at most half a gigabyte of map.
    private static let maximumNodes = 20_000_000

    init(_ handle: UnsafeMutablePointer<MMDB_s>, _ kind: GeoIPDatabase.Kind) {
        unsafe self.handle = handle
        self.kind = kind
        // Writers may let several networks share a subtree, so a little more than each node once.
        patience = unsafe min(Walk.maximumNodes, 4 * Int(handle.pointee.metadata.node_count) + 1000)
    }

    mutating func whole() throws(MaxMindFile.Fault) -> AddressMap {
        // unsafe: the open handle's metadata.
        if unsafe handle.pointee.metadata.ip_version == 4 {
            try walk(.node(0), 0, bit: 31, isIPv4: true)
        } else {
            // IPv4 lies under ::/96.
            var record = Record.node(0)
            for _ in 0..<96 {
                guard case .node(let node) = record else { break }
                record = try children(of: node).left
            }
            try walk(record, 0, bit: 31, isIPv4: true)
            // Databases lead here from other networks too: 6to4, Teredo. Who still comes by those is unknown.
            if case .node(let node) = record { ipv4Root = node }
            try walk(.node(0), 0, bit: 127, isIPv4: false)
        }
        return map
    }

    /// Whether any record has the field.
    var hasFound: Bool { values.values.contains { $0 != 0 } }

    /// - Parameters:
    ///   - prefix: the address where the record's network begins.
    ///   - bit: the one that the record decides, if it is a node; the lowest is 0.
    private mutating func walk(_ record: Record, _ prefix: UInt128, bit: Int, isIPv4: Bool) throws(MaxMindFile.Fault) {
        if case .node(let node) = record, isIPv4 || node != ipv4Root {
            guard bit >= 0, patience > 0 else { throw MaxMindFile.Fault(detail: "is broken: its search tree is none") }
            patience -= 1
            let (left, right) = try children(of: node)
            try walk(left, prefix, bit: bit - 1, isIPv4: isIPv4)
            try walk(right, prefix | UInt128(1) << UInt128(bit), bit: bit - 1, isIPv4: isIPv4)
            return
        }
        var value: UInt32 = 0
        if case .data(let offset) = record { value = try self.value(at: offset) }
        if isIPv4 { map.begin(ipv4: UInt32(truncatingIfNeeded: prefix), value) } else { map.begin(ipv6: prefix, value) }
    }

    private func children(of node: UInt32) throws(MaxMindFile.Fault) -> (left: Record, right: Record) {
        var found = unsafe MMDB_search_node_s()
        // unsafe: MMDB_read_node checks the number and the tree's bounds, and fills the struct it is lent.
        let status = unsafe MMDB_read_node(handle, node, &found)
        guard status == MMDB_SUCCESS else { throw fault(status) }
        return unsafe (
            try record(found.left_record_type, found.left_record, found.left_record_entry.offset),
            try record(found.right_record_type, found.right_record, found.right_record_entry.offset)
        )
    }

    private func record(_ type: UInt8, _ number: UInt64, _ offset: UInt32) throws(MaxMindFile.Fault) -> Record {
        switch CInt(type) {
        case MMDB_RECORD_TYPE_SEARCH_NODE: return .node(UInt32(truncatingIfNeeded: number))
        case MMDB_RECORD_TYPE_DATA: return .data(offset)
        case MMDB_RECORD_TYPE_EMPTY: return .nothing
        default: throw fault(MMDB_CORRUPT_SEARCH_TREE_ERROR)
        }
    }

    private mutating func value(at offset: UInt32) throws(MaxMindFile.Fault) -> UInt32 {
        if let known = values[offset] { return known }
        let value = try read(offset)
        values[offset] = value
        return value
    }

    /// 0 when the record has no such field, or not of the right type.
    private func read(_ offset: UInt32) throws(MaxMindFile.Fault) -> UInt32 {
        var entry = unsafe MMDB_entry_s(mmdb: handle, offset: offset)
        var data = unsafe MMDB_entry_data_s()
        // unsafe: the names are static texts that end in 0, and the list ends in nil; the library checks all bounds in the file.
        let names = unsafe kind.names.map { unsafe Optional(UnsafeRawPointer($0.utf8Start).assumingMemoryBound(to: CChar.self)) } + [nil]
        let status = unsafe MMDB_aget_value(&entry, &data, names)
        if status == MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR { return 0 }
        guard status == MMDB_SUCCESS else { throw fault(status) }
        guard unsafe data.has_data else { return 0 }
        // unsafe: which member of the union holds is what the type says; a text is data_size bytes long and lies in the file.
        let type = unsafe CInt(data.type)
        switch kind {
        case .asn where type == MMDB_DATA_TYPE_UINT32: return unsafe data.uint32
        case .asn where type == MMDB_DATA_TYPE_UINT16: return unsafe UInt32(data.uint16)
        case .country where type == MMDB_DATA_TYPE_UTF8_STRING:
            let bytes = unsafe UnsafeRawBufferPointer(start: data.utf8_string, count: min(Int(data.data_size), 3))
            return unsafe CountryCode(String(decoding: bytes, as: UTF8.self))?.number ?? 0
        default: return 0
        }
    }

    private func fault(_ status: CInt) -> MaxMindFile.Fault { .init(detail: "is broken: \(MaxMindFile.reason(status))") }
}

extension GeoIPDatabase.Kind {
    /// Where a record has it.
    fileprivate var names: [StaticString] {
        switch self {
        case .country: ["country", "iso_code"]
        case .asn: ["autonomous_system_number"]
        }
    }

    fileprivate var field: String { names.map(\.description).joined(separator: ".") }
}
#endif
