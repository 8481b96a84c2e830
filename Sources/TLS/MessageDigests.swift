import CNIOBoringSSL
import NIOSSL

/// A digest that takes its text in pieces. Nothing of it allocates.
public protocol PieceDigest {
    mutating func add(_ bytes: borrowing Span<UInt8>)
}

/// MD5 (RFC 1321), for schemes of links that are made of it. It keeps a secret at the end of a text, and is good for nothing else.
public struct MD5: PieceDigest {
    private var context = MD5_CTX()

    public init() {
        // This and the calls below read and write the local context.
        _ = unsafe MD5_Init(&context)
    }

    public mutating func add(_ bytes: borrowing Span<UInt8>) {
        unsafe bytes.withUnsafeBytes { bytes in _ = unsafe MD5_Update(&context, bytes.baseAddress, bytes.count) }
    }

    /// The digest; the value is used up, and what it knew of a key is wiped.
    public mutating func finish() -> InlineArray<16, UInt8> {
        var digest = InlineArray<16, UInt8>(repeating: 0)
        var span = digest.mutableSpan
        // The digest has the 16 bytes that are written.
        unsafe span.withUnsafeMutableBufferPointer { bytes in _ = unsafe MD5_Final(bytes.baseAddress, &context) }
        unsafe OPENSSL_cleanse(&context, MemoryLayout<MD5_CTX>.size)
        return digest
    }
}

/// A key of HMAC-SHA256 (RFC 2104, FIPS 180-4), with what depends on the key alone done once.
@safe public final class HMACKey: @unchecked Sendable {
    // Sendable unchecked: the states are written before anybody else has the object, and when nobody has it any more.
    /// The states of both hashes behind the padded key: as good as the key, so they are wiped like it.
    fileprivate private(set) var inner = SHA256_CTX()
    fileprivate private(set) var outer = SHA256_CTX()

    public init(_ key: Secret) {
        var block = [UInt8](repeating: 0, count: 64)
        key.withBytes { bytes in
            if bytes.count <= 64 {
                for index in 0..<bytes.count { block[index] = bytes[index] }
            } else {
                // It reads the key and writes 32 bytes of the 64.
                unsafe bytes.withUnsafeBytes { bytes in
                    _ = unsafe SHA256(bytes.baseAddress, bytes.count, &block)
                }
            }
        }
        HMACKey.begin(&inner, block, pad: 0x36)
        HMACKey.begin(&outer, block, pad: 0x5C)
        Secret.wipe(&block)
    }

    deinit {
        unsafe OPENSSL_cleanse(&inner, MemoryLayout<SHA256_CTX>.size)
        unsafe OPENSSL_cleanse(&outer, MemoryLayout<SHA256_CTX>.size)
    }

    private static func begin(_ state: inout SHA256_CTX, _ block: [UInt8], pad: UInt8) {
        var padded = block.map { $0 ^ pad }
        // Both write the state alone.
        _ = unsafe SHA256_Init(&state)
        _ = unsafe SHA256_Update(&state, padded, padded.count)
        Secret.wipe(&padded)
    }
}

/// HMAC-SHA256 of a text in pieces.
public struct HMACSHA256: PieceDigest {
    private let key: HMACKey
    private var context: SHA256_CTX

    public init(_ key: HMACKey) {
        self.key = key
        context = key.inner
    }

    public mutating func add(_ bytes: borrowing Span<UInt8>) {
        // This and the calls below read what they are given and write the local context.
        unsafe bytes.withUnsafeBytes { bytes in _ = unsafe SHA256_Update(&context, bytes.baseAddress, bytes.count) }
    }

    /// The code; the value is used up, and what it knew of the key is wiped.
    public mutating func finish() -> InlineArray<32, UInt8> {
        var digest = InlineArray<32, UInt8>(repeating: 0)
        var span = digest.mutableSpan
        // The digest has the 32 bytes that are written.
        unsafe span.withUnsafeMutableBufferPointer { bytes in
            _ = unsafe SHA256_Final(bytes.baseAddress, &context)
            context = key.outer
            _ = unsafe SHA256_Update(&context, bytes.baseAddress, bytes.count)
            _ = unsafe SHA256_Final(bytes.baseAddress, &context)
        }
        unsafe OPENSSL_cleanse(&context, MemoryLayout<SHA256_CTX>.size)
        return digest
    }
}
