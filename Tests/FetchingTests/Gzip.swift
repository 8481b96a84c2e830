/// Bodies as RFC 1951 and 1952 have them, written by hand.
enum Gzip {
    private static let head: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]

    /// An answer with a compressed body, of which the end may be cut off or be followed by more.
    static func answer(_ text: String, coding: String = "gzip", cutting: Int = 0, adding: [UInt8] = []) -> [UInt8] {
        let content = Array(text.utf8)
        // One block that is stored.
        let block = [1] + bytes(UInt32(content.count), 2) + bytes(~UInt32(content.count), 2) + content
        let body = head + block + bytes(checksum(content), 4) + bytes(UInt32(content.count), 4)
        return Sample.bytes(body.dropLast(cutting) + adding, ["Content-Encoding: \(coding)"])
    }

    /// An answer in chunks whose body is an `x` and 258 more for each match.
    static func bomb(matches: Int) -> [UInt8] {
        var (body, room, count) = (head, UInt32(0), 0)
        // The last block, with fixed codes; `x`, whose code begins with its highest bit.
        for (bits, length) in [(0b011, 3), (0b0001_0101, 8)] as [(UInt32, Int)] {
            room |= bits << count
            count += length
        }
        for _ in 0..<matches {
            // Length 258, distance 1.
            room |= 0b00000_10100011 << count
            count += 13
            while count >= 8 {
                body.append(UInt8(truncatingIfNeeded: room))
                room >>= 8
                count -= 8
            }
        }
        let head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n\(String(body.count, radix: 16))\r\n"
        return Array(head.utf8) + body + "\r\n0\r\n\r\n".utf8
    }

    private static func bytes(_ number: UInt32, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: number >> UInt32(8 * $0)) }
    }

    private static func checksum(_ content: [UInt8]) -> UInt32 {
        var sum = ~UInt32(0)
        for byte in content {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = (sum >> 1) ^ (sum & 1 == 1 ? 0xEDB8_8320 : 0) }
        }
        return ~sum
    }
}
