extension OutputSpan<UInt8> {
    /// Appends bytes. There has to be room for all of them, as for one.
    @inlinable @inline(__always)
    public mutating func append(copying bytes: borrowing Span<UInt8>) {
        // Bytes beyond would be written into memory of others; callers make room for their bound.
        precondition(bytes.count <= freeCapacity, "no room for the bytes")
        // Both pointers are used for the call alone, and there is room, as was just checked.
        unsafe bytes.withUnsafeBufferPointer { source in
            unsafe withUnsafeMutableBufferPointer { target, count in
                if let from = source.baseAddress, let to = target.baseAddress {
                    unsafe (to + count).initialize(from: from, count: source.count)
                    count += source.count
                }
            }
        }
    }

    /// Appends a literal. There has to be room for it.
    @inlinable @inline(__always)
    public mutating func append(literal: StaticString) {
        // A literal lives as long as the process.
        append(copying: unsafe Span(_unsafeStart: literal.utf8Start, count: literal.utf8CodeUnitCount))
    }
}
