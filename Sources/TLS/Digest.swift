// The C module inside swift-nio-ssl. Upstream does not export it as a product, so it is imported here and nowhere else, and the package is
// pinned to one version: docs/architecture.md tells how it is raised.
import CNIOBoringSSL
import NIOSSL

/// Digests by BoringSSL, which probes by HTTPS bring into the binary anyway.
public enum Digest {
    /// SHA-256 (FIPS 180-4), 32 bytes. Any thread.
    public static func sha256(_ bytes: [UInt8]) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: Int(SHA256_DIGEST_LENGTH)) { digest, count in
            // unsafe, as the array is: it reads as many bytes as the array has, and writes the 32 that there is room for.
            _ = unsafe SHA256(bytes, bytes.count, digest.baseAddress)
            count = Int(SHA256_DIGEST_LENGTH)
        }
    }
}
