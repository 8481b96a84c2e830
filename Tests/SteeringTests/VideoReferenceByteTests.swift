import Testing

@testable import Steering

/// Each of the 256 byte values at each place of a URL, against the contract written down once more, plainly.
@Suite struct VideoReferenceByteTests {
    static let forbidden = Set(0...0x20).union([0x7F, UInt8(ascii: "\\"), UInt8(ascii: "#")])
    /// RFC 3986: unreserved, sub-delims, and what else may stand in a path or query.
    static let kept = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/?[]^|".utf8)

    private let table: RoutingTable

    init() throws {
        table = try Setup().table()
    }

    enum Outcome: Equatable {
        case location(String)
        case refused(Refusal)
    }

    private func outcome(_ read: () throws(Refusal) -> FoundVideo) -> Outcome {
        do throws(Refusal) {
            return .location(try read().location())
        } catch {
            return .refused(error)
        }
    }

    private func hex(_ byte: UInt8) -> String { "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true) }

    /// What must become of `before`, the byte, `z` in path or query.
    private func expected(_ before: String, _ byte: UInt8) -> Outcome {
        if VideoReferenceByteTests.forbidden.contains(byte) { return .refused(.forbiddenCharacter) }
        if byte == UInt8(ascii: "%") { return .refused(.invalidEscape) }
        return .location(before + (VideoReferenceByteTests.kept.contains(byte) ? String(decoding: [byte], as: UTF8.self) : hex(byte)) + "z")
    }

    @Test(arguments: ["http://s1.origin-cluster/a", "http://s1.origin-cluster/a?b", "http://s1.origin-cluster/a?b=c/d?e"])
    func `each byte of path and query is kept, encoded again or refused`(before: String) {
        for byte in UInt8.min...UInt8.max {
            let url = Array(before.utf8) + [byte, UInt8(ascii: "z")]
            let expected = expected(before, byte)
            #expect(outcome { () throws(Refusal) in try table.find(url) } == expected, "raw \(hex(byte))")
            #expect(outcome { () throws(Refusal) in try table.find(encoded(url)) } == expected, "encoded \(hex(byte))")
            let path = Array(("/s1" + before.dropFirst(24)).utf8) + url.suffix(2)
            #expect(outcome { () throws(Refusal) in try table.find(path: path) } == expected, "path \(hex(byte))")
            let link = Array("http://balancer/?video=".utf8) + encoded(url)
            #expect(outcome { () throws(Refusal) in try table.find(link) } == expected, "link \(hex(byte))")
            #expect(outcome { () throws(Refusal) in try table.find(encoded(link)) } == expected, "encoded link \(hex(byte))")
        }
    }

    @Test(arguments: ["http://s1.origin-cluster/a", "http://s1.origin-cluster/a?b"])
    func `each escape in path and query of a raw URL is kept to the letter`(before: String) {
        for byte in UInt8.min...UInt8.max {
            for escape in [hex(byte), hex(byte).lowercased()] {
                let expected = Outcome.location(before + escape + "z")
                #expect(outcome { () throws(Refusal) in try table.find(before + escape + "z") } == expected)
                #expect(outcome { () throws(Refusal) in try table.find(encoded(before + escape + "z")) } == expected)
            }
        }
    }

    /// What must become of `s1`, the byte, `.origin-cluster/x` as authority.
    private func expectedInHost(_ byte: UInt8) -> Outcome {
        if VideoReferenceByteTests.forbidden.contains(byte) { return .refused(.forbiddenCharacter) }
        switch byte {
        case UInt8(ascii: "@"): return .refused(.userinfo)
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return .location("http://s1\(byte - 0x30).origin-cluster/x")
        default: return .refused(.unknownHost)
        }
    }

    @Test func `each byte of a host is a listed server's or refused`() {
        for byte in UInt8.min...UInt8.max {
            let url = Array("http://s1".utf8) + [byte] + Array(".origin-cluster/x".utf8)
            #expect(outcome { () throws(Refusal) in try table.find(url) } == expectedInHost(byte), "raw \(hex(byte))")
            #expect(outcome { () throws(Refusal) in try table.find(encoded(url)) } == expectedInHost(byte), "encoded \(hex(byte))")
            let escaped = "http://s1\(hex(byte)).origin-cluster/x"
            #expect(outcome { () throws(Refusal) in try table.find(escaped) } == .refused(.unknownHost), "escaped \(hex(byte))")
        }
    }

    @Test func `each byte of a domain is a listed one's or refused`() throws {
        for byte in UInt8.min...UInt8.max where byte != UInt8(ascii: "/") && byte != UInt8(ascii: "?") {
            let url = Array("http://s1.origin-cluster".utf8) + [byte] + Array("/x".utf8)
            let expected = expectedInHost(byte)
            var refused = if case .location = expected { Outcome.refused(.unknownHost) } else { expected }
            // The root's dot and an empty port mean nothing.
            if byte == UInt8(ascii: ".") || byte == UInt8(ascii: ":") { refused = .location("http://s1.origin-cluster/x") }
            #expect(outcome { () throws(Refusal) in try table.find(url) } == refused, "\(hex(byte))")
            #expect(outcome { () throws(Refusal) in try table.find(encoded(url)) } == refused, "\(hex(byte))")
        }
    }
}
