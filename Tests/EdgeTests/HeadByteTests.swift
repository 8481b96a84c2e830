import Testing

@testable import Edge

/// Every byte at every kind of place, judged by lists that are written out here.
@Suite struct HeadByteTests {
    private static let token = Set("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    @Test func `a byte of a method or field name is a token's byte`() {
        for byte in UInt8.min...UInt8.max {
            #expect(HeadByte.isToken(byte) == HeadByteTests.token.contains(byte), "byte \(byte)")
            let isGood = HeadByteTests.token.contains(byte)
            #expect(isAccepted("A\(text(byte))B / HTTP/1.1\r\nHost: h\r\n\r\n") == (isGood && byte != 0x20), "method byte \(byte)")
            if byte != UInt8(ascii: ":") {
                #expect(isAccepted("GET / HTTP/1.1\r\nHost: h\r\nX\(text(byte))Y: z\r\n\r\n") == isGood, "name byte \(byte)")
            }
        }
    }

    @Test func `a byte of a target is visible ASCII and no number sign`() {
        for byte in UInt8.min...UInt8.max {
            let isGood = (0x21...0x7E).contains(byte) && byte != UInt8(ascii: "#")
            #expect(isAccepted("GET /a\(text(byte))b HTTP/1.1\r\nHost: h\r\n\r\n") == isGood, "target byte \(byte)")
        }
    }

    @Test func `a byte of a value is a tab, a space, visible ASCII or from 0x80 on`() {
        for byte in UInt8.min...UInt8.max {
            let isGood = byte == 0x09 || (byte >= 0x20 && byte != 0x7F)
            #expect(isAccepted("GET / HTTP/1.1\r\nHost: h\r\nX: a\(text(byte))b\r\n\r\n") == isGood, "value byte \(byte)")
        }
    }

    @Test func `a byte of a Host is one of a name or its port's colon`() {
        let name = Set("-._~!$&'()*+;=0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
        // The comma is a sub-delim of RFC 3986, and a list separator elsewhere: not pinned here.
        for byte in UInt8.min...UInt8.max where byte != UInt8(ascii: ",") {
            let isGood = name.contains(byte) || byte == UInt8(ascii: ":")
            #expect(isAccepted("GET / HTTP/1.1\r\nHost: a\(text(byte))1\r\n\r\n") == isGood, "Host byte \(byte)")
        }
    }

    @Test func `only spaces and tabs are trimmed from a value`() {
        for byte in UInt8.min...UInt8.max {
            let isTrimmed = byte == 0x20 || byte == 0x09
            #expect(isAccepted("GET / HTTP/1.1\r\nHost:\(text(byte))[::1]\(text(byte))\r\n\r\n") == isTrimmed, "byte \(byte)")
        }
    }

    @Test func `names compare without ASCII case and nothing else`() {
        #expect(isHost("host") && isHost("HOST") && isHost("hOsT"))
        for text in ["h0st", "hos", "hosts", "h/st", "hos\u{F4}", "h\u{4F}s\u{14}", "\u{08}ost", "hos\u{54}\u{0}"] {
            #expect(!isHost(text), "\(text)")
        }
        for (text, name) in [("@", "`"), ("\u{0B}", "+"), ("[", "{"), ("\u{0}", " ")] {
            let bytes = [UInt8](latin1: text)
            let isEqual = bytes.span.equalsIgnoringCase(name, in: 0..<1)
            #expect(!isEqual, "\(name)")
        }
    }

    private func isHost(_ text: String) -> Bool {
        let bytes = [UInt8](latin1: text)
        return bytes.span.equalsIgnoringCase("host", in: 0..<bytes.count)
    }

    private func text(_ byte: UInt8) -> String { [byte].latin1 }

    private func isAccepted(_ text: String) -> Bool {
        if case .accepts = Verdict(on: [UInt8](latin1: text)) { true } else { false }
    }
}
