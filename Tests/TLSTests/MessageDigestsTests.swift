import Testing

@testable import TLS

/// The examples of the RFCs, in one piece and in pieces.
@Suite struct MessageDigestsTests {
    private static func hex(_ byte: UInt8) -> String { String(byte >> 4, radix: 16) + String(byte & 15, radix: 16) }

    /// RFC 1321, appendix A.5.
    @Test(arguments: [
        ("", "d41d8cd98f00b204e9800998ecf8427e"), ("abc", "900150983cd24fb0d6963f7d28e17f72"),
        ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
        (
            "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
            "57edf4a22be3c955ac49da2e2107b67a"
        ),
    ])
    func `MD5 is that of its RFC`(text: String, digest: String) {
        let bytes = Array(text.utf8)
        for cut in [0, bytes.count / 2, bytes.count] {
            var md5 = MD5()
            md5.add(bytes.span.extracting(0..<cut))
            md5.add(bytes.span.extracting(cut..<bytes.count))
            let result = md5.finish()
            #expect((0..<16).map { Self.hex(result[$0]) }.joined() == digest)
        }
    }

    /// RFC 4231 §4.2, §4.3, §4.7: a key shorter than a block, one that is text, and one longer than a block.
    @Test(arguments: [
        ([UInt8](repeating: 0x0B, count: 20), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (Array("Jefe".utf8), "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        (
            [UInt8](repeating: 0xAA, count: 131), "Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
    ])
    func `HMAC-SHA256 is that of its RFC, however often its key is used`(key: [UInt8], text: String, code: String) {
        let key = HMACKey(Secret(key.span))
        let bytes = Array(text.utf8)
        for cut in [0, 3, bytes.count] {
            var hmac = HMACSHA256(key)
            hmac.add(bytes.span.extracting(0..<cut))
            hmac.add(bytes.span.extracting(cut..<bytes.count))
            let result = hmac.finish()
            #expect((0..<32).map { Self.hex(result[$0]) }.joined() == code)
        }
    }

    @Test func `a buffer that held a secret is wiped`() {
        var bytes = Array("secret".utf8)
        Secret.wipe(&bytes)
        #expect(bytes.isEmpty)
    }
}
