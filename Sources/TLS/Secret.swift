import CNIOBoringSSL
import NIOSSL

/// Bytes that nobody else may learn: a key. They are overwritten when the last owner lets go, and no description of it shows them.
@safe public final class Secret: @unchecked Sendable, CustomStringConvertible, CustomReflectable {
    // Sendable unchecked: the bytes are written before anybody else has the object, and then when nobody has it any more.
    private let bytes: UnsafeMutableRawBufferPointer

    /// Copies the bytes; whoever has them wipes them.
    public init(_ source: borrowing Span<UInt8>) {
        unsafe bytes = .allocate(byteCount: source.count, alignment: 16)
        for index in 0..<source.count { unsafe bytes[index] = source[index] }
    }

    deinit {
        // The memory is this object's, and nobody else points to it.
        unsafe OPENSSL_cleanse(bytes.baseAddress, bytes.count)
        unsafe bytes.deallocate()
    }

    public var count: Int { unsafe bytes.count }

    /// Lends the bytes for the call.
    public func withBytes<Value>(_ body: (borrowing Span<UInt8>) -> Value) -> Value {
        // They are never written while the object lives.
        let span = unsafe Span<UInt8>(_unsafeElements: UnsafeRawBufferPointer(bytes).bindMemory(to: UInt8.self))
        return body(span)
    }

    public var description: String { "a secret of \(count) bytes" }
    public var customMirror: Mirror { Mirror(self, children: []) }

    /// Wipes a buffer that held a secret while it was read.
    public static func wipe(_ buffer: inout [UInt8]) {
        // It writes into the array alone.
        unsafe buffer.withUnsafeMutableBytes { unsafe OPENSSL_cleanse($0.baseAddress, $0.count) }
        buffer = []
    }

    /// Random bytes of the system's.
    public static func random(_ count: Int) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: count) { bytes, initialized in
            // It fills what it is given, and ends the process where the system has no randomness.
            _ = unsafe RAND_bytes(bytes.baseAddress, numericCast(count))
            initialized = count
        }
    }
}
