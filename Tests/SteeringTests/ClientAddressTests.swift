import Glibc
import Steering
import Testing

@Suite struct ClientAddressTests {
    @Test(
        "an address is read and written in its canonical form",
        arguments: [
            ("192.0.2.1", "192.0.2.1"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"), ("::", "::"), ("::1", "::1"),
            ("2001:db8::1", "2001:db8::1"), ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"), ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
            ("1::", "1::"), ("::ffff:192.0.2.1", "192.0.2.1"), ("64:ff9b::192.0.2.1", "64:ff9b::c000:201"),
            ("1:0:0:2:0:0:0:3", "1:0:0:2::3"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
            ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
        ])
    func reads(text: String, canonical: String) throws {
        #expect(try #require(ClientAddress(text)).description == canonical)
    }

    @Test(
        "what is no address is refused",
        arguments: [
            "", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.04", "1.2.3.", ".1.2.3", "1..2.3", " 1.2.3.4", "1.2.3.4 ", "a.b.c.d", ":", ":::",
            "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "g::", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1:", ":1",
            "1::2:",
            "1.2.3.4::", "::1.2.3.4:5", "fe80::1%eth0", "[::1]", "1:2:3:4:5:6:7:1.2.3.4", "unknown", "_hidden",
        ])
    func refuses(text: String) { #expect(ClientAddress(text) == nil) }

    @Test("random bytes of address letters are read as inet_pton reads them")
    func agreesWithTheSystem() {
        var random = SplitMix64(for: "addresses as the system reads them")
        let letters = Array("0123456789abcdef:::::....".utf8)
        for _ in 0..<200_000 {
            let length = Int.random(in: 0...20, using: &random)
            let bytes = (0..<length).map { _ in letters[Int.random(in: 0..<letters.count, using: &random)] }
            let text = String(decoding: bytes, as: UTF8.self)
            var four = in_addr()
            var six = in6_addr()
            // Both structures are locals that live through the call.
            let isFour = unsafe inet_pton(AF_INET, text, &four) == 1
            let isSix = unsafe inet_pton(AF_INET6, text, &six) == 1
            #expect((ClientAddress(text) != nil) == (isFour || isSix), "\(text)")
        }
    }

    @Test("written addresses read back to themselves")
    func roundTrips() {
        var random = SplitMix64(for: "addresses written and read")
        for _ in 0..<20_000 {
            let mask = UInt64.random(in: 0...(.max), using: &random) & UInt64.random(in: 0...(.max), using: &random)
            let address = ClientAddress(high: random.next() & mask, low: random.next() & mask)
            #expect(ClientAddress(address.description) == address)
        }
    }

    @Test("a network holds the addresses that share its prefix, and no others")
    func contains() throws {
        let four = try #require(Network("192.0.2.0/24"))
        #expect(four.contains(try #require(ClientAddress("192.0.2.255"))))
        #expect(!four.contains(try #require(ClientAddress("192.0.3.0"))))
        #expect(!four.contains(try #require(ClientAddress("::c000:201"))))
        let six = try #require(Network("2001:db8::/33"))
        #expect(six.contains(try #require(ClientAddress("2001:db8:7fff::1"))))
        #expect(!six.contains(try #require(ClientAddress("2001:db8:8000::1"))))
        #expect(try #require(Network("0.0.0.0/0")).contains(try #require(ClientAddress("203.0.113.9"))))
        #expect(!(try #require(Network("0.0.0.0/0")).contains(try #require(ClientAddress("2001:db8::1")))))
        #expect(try #require(Network("::/0")).contains(try #require(ClientAddress("203.0.113.9"))))
        #expect(try #require(Network("10.1.2.3")).description == "10.1.2.3/32")
    }

    @Test(
        "what is no network is refused",
        arguments: ["", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.1/8", "::/129", "10.0.0.0/+8", "10.0.0.0/8/8", "x/8", "2001:db8::1/64"])
    func refusesNetworks(text: String) { #expect(Network(text) == nil) }
}
