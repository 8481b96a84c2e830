/// The fields that a client may name by a number (RFC 7541 §2.3): the standard's own, then those it has sent, the last one first.
struct HPACKTable: Sendable {
    /// Bytes that a client may have kept (§4.1), as it may assume without being told.
    static let maximumBytes = 4096

    private struct Entry {
        /// In the ring.
        let start: UInt32
        let name: UInt16
        let value: UInt16
        /// Bytes of both.
        var count: Int { Int(name) + Int(value) }
        var size: Int { count + HPACKTable.overhead }
    }

    private static let overhead = 32

    /// Names and values of entries, one after the other and round the end; a power of two long.
    private var ring: [UInt8] = []
    /// Where the next entry begins, counted on round the end.
    private var ringEnd: UInt32 = 0
    /// The oldest first, from `oldest` on.
    private var entries: [Entry] = []
    private var oldest = 0
    private var size = 0
    private var capacity = HPACKTable.maximumBytes

    private var count: Int { entries.count - oldest }

    /// Appends a field's name.
    ///
    /// - Returns: false when no field has this number.
    func appendName(of number: Int, to text: inout [UInt8]) -> Bool {
        if let field = HPACKTable.standard(number) {
            text.append(contentsOf: field.name)
            return true
        }
        guard let entry = entry(number) else { return false }
        append(entry.start, Int(entry.name), to: &text)
        return true
    }

    /// Appends a field's value; its name was there.
    func appendValue(of number: Int, to text: inout [UInt8]) {
        if let field = HPACKTable.standard(number) { return text.append(contentsOf: field.value) }
        if let entry = entry(number) { append(entry.start &+ UInt32(entry.name), Int(entry.value), to: &text) }
    }

    private func entry(_ number: Int) -> Entry? {
        let age = number - HPACKTable.standard.count - 1
        guard age >= 0, age < count else { return nil }
        return entries[entries.count - 1 - age]
    }

    private func append(_ start: UInt32, _ count: Int, to text: inout [UInt8]) {
        guard count > 0 else { return }
        let start = Int(start) & (ring.count - 1)
        let straight = min(count, ring.count - start)
        text.append(contentsOf: ring[start..<start + straight])
        text.append(contentsOf: ring[0..<count - straight])
    }

    /// Takes a field in, for which the oldest ones make room; one that is larger than the table empties it (§4.4).
    ///
    /// - Parameter text: where the name and the value stand.
    mutating func insert(_ text: [UInt8], name: Range<Int>, value: Range<Int>) {
        let added = name.count + value.count + HPACKTable.overhead
        evict(to: capacity - added)
        guard added <= capacity else { return }
        makeRoom(used: size - count * HPACKTable.overhead, name.count + value.count)
        entries.append(Entry(start: ringEnd, name: UInt16(name.count), value: UInt16(value.count)))
        write(text, name)
        write(text, value)
        size += added
    }

    private mutating func write(_ text: [UInt8], _ range: Range<Int>) {
        for index in range {
            ring[Int(ringEnd) & (ring.count - 1)] = text[index]
            ringEnd &+= 1
        }
    }

    /// Grows the ring, so that idle connections keep little. Entries begin anew at its start.
    private mutating func makeRoom(used: Int, _ more: Int) {
        guard used + more > ring.count else { return }
        var length = max(256, ring.count)
        while length < used + more { length *= 2 }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(length)
        var moved: [Entry] = []
        for entry in entries[oldest...] {
            moved.append(Entry(start: UInt32(bytes.count), name: entry.name, value: entry.value))
            append(entry.start, entry.count, to: &bytes)
        }
        ringEnd = UInt32(bytes.count)
        bytes.append(contentsOf: repeatElement(0, count: length - bytes.count))
        (ring, entries, oldest) = (bytes, moved, 0)
    }

    private mutating func evict(to most: Int) {
        while size > most, oldest < entries.count {
            size -= entries[oldest].size
            oldest += 1
        }
        if oldest == entries.count || oldest >= 64 {
            entries.removeSubrange(..<oldest)
            oldest = 0
        }
    }

    /// Follows the client's own limit (§6.3).
    ///
    /// - Returns: false when it is above what it was told.
    mutating func resize(to capacity: Int) -> Bool {
        guard capacity <= HPACKTable.maximumBytes else { return false }
        self.capacity = capacity
        evict(to: capacity)
        return true
    }

    // MARK: The standard's own

    private static func standard(_ number: Int) -> (name: [UInt8], value: [UInt8])? {
        (1...standard.count).contains(number) ? standard[number - 1] : nil
    }

    /// RFC 7541 Appendix A.
    private static let standard: [(name: [UInt8], value: [UInt8])] = [
        (":authority", ""),
        (":method", "GET"),
        (":method", "POST"),
        (":path", "/"),
        (":path", "/index.html"),
        (":scheme", "http"),
        (":scheme", "https"),
        (":status", "200"),
        (":status", "204"),
        (":status", "206"),
        (":status", "304"),
        (":status", "400"),
        (":status", "404"),
        (":status", "500"),
        ("accept-charset", ""),
        ("accept-encoding", "gzip, deflate"),
        ("accept-language", ""),
        ("accept-ranges", ""),
        ("accept", ""),
        ("access-control-allow-origin", ""),
        ("age", ""),
        ("allow", ""),
        ("authorization", ""),
        ("cache-control", ""),
        ("content-disposition", ""),
        ("content-encoding", ""),
        ("content-language", ""),
        ("content-length", ""),
        ("content-location", ""),
        ("content-range", ""),
        ("content-type", ""),
        ("cookie", ""),
        ("date", ""),
        ("etag", ""),
        ("expect", ""),
        ("expires", ""),
        ("from", ""),
        ("host", ""),
        ("if-match", ""),
        ("if-modified-since", ""),
        ("if-none-match", ""),
        ("if-range", ""),
        ("if-unmodified-since", ""),
        ("last-modified", ""),
        ("link", ""),
        ("location", ""),
        ("max-forwards", ""),
        ("proxy-authenticate", ""),
        ("proxy-authorization", ""),
        ("range", ""),
        ("referer", ""),
        ("refresh", ""),
        ("retry-after", ""),
        ("server", ""),
        ("set-cookie", ""),
        ("strict-transport-security", ""),
        ("transfer-encoding", ""),
        ("user-agent", ""),
        ("vary", ""),
        ("via", ""),
        ("www-authenticate", ""),
    ].map { (name: Array($0.0.utf8), value: Array($0.1.utf8)) }
}
