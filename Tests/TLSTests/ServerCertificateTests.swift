import CNIOBoringSSL
import TLSPeer
import Testing

@testable import TLS

/// What is taken as a certificate, and which one a client gets.
struct ServerCertificateTests {
    private static func fault(chain: [UInt8], key: [UInt8]) -> String? {
        do {
            _ = try ServerCertificate(chain: chain, key: key, at: ("cert.pem", "key.pem"))
            return nil
        } catch {
            return error.description
        }
    }

    @Test func `a chain and its key are taken, also from one file`() throws {
        let whole = Fixture.leaf + Fixture.root
        let certificate = try ServerCertificate(chain: whole, key: Fixture.leafKey, at: ("cert.pem", "key.pem"))
        #expect(certificate.names == ["leaf.example.com"])
        #expect(certificate.validUntil > 4_000_000_000)
        #expect(!certificate.isRSA)
        let both = Fixture.leafKey + whole
        #expect(try ServerCertificate(chain: both, key: both, at: ("both.pem", "both.pem")).names == ["leaf.example.com"])
        let lines = Array(String(decoding: whole, as: UTF8.self).replacing("\n", with: "\r\n").utf8)
        #expect(ServerCertificateTests.fault(chain: lines, key: Fixture.leafKey) == nil)
    }

    @Test func `regression: a byte order mark before any of a chain's certificates, or before the key, is passed over`() throws {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let certificate = try ServerCertificate(
            chain: mark + Fixture.leaf + mark + Fixture.root, key: mark + Fixture.leafKey, at: ("cert.pem", "key.pem"))
        #expect(certificate.names == ["leaf.example.com"])
        #expect(ServerCertificateTests.fault(chain: mark + Fixture.leaf + mark + Fixture.root, key: Fixture.rsaKey) != nil)
    }

    @Test func `what cannot serve is refused in one line that says what to do`() {
        let fault = ServerCertificateTests.fault
        let cut = Array(Fixture.leaf.prefix(Fixture.leaf.count / 2))
        #expect(fault([], Fixture.leafKey) == "cert.pem is empty")
        #expect(fault(Fixture.leaf, []) == "key.pem is empty")
        #expect(fault(Fixture.leafKey, Fixture.leafKey) == "cert.pem has no certificate; it must be PEM: BEGIN CERTIFICATE")
        #expect(fault(cut, Fixture.leafKey) == "cert.pem: certificate 1 cannot be read; it is damaged or cut off")
        #expect(fault(Fixture.leaf + cut, Fixture.leafKey) == "cert.pem: certificate 2 cannot be read; it is damaged or cut off")
        #expect(fault(Fixture.leaf, Fixture.leaf) == "key.pem has no private key that can be read; it must be PEM: BEGIN PRIVATE KEY")
        #expect(
            fault(Fixture.leaf, Fixture.rsaKey)
                == "key.pem is not the key of cert.pem; give the two files that were issued together")
        #expect(
            fault(Fixture.leaf, Fixture.encryptedLeafKey)
                == "key.pem is encrypted; write it without a password: openssl pkey -in key.pem -out NEW, and keep that 0600")
        // Regression: those on other curves were said to be no PEM, or to want another key usage.
        for key in [Fixture.ed25519Key, DoubtFixture.pssKey, DoubtFixture.p224Key, DoubtFixture.k1Key] {
            #expect(
                fault(Fixture.leaf, key)
                    == "key.pem is neither an ECDSA key on P-256 or P-384 nor an RSA key; browsers take no others")
        }
        #expect(
            fault(Fixture.root + Fixture.leaf, Fixture.leafKey)
                == "cert.pem must begin with the certificate that the key belongs to, and that is number 2 in it; order it: the server's "
                + "own first, then each one's issuer")
        #expect(
            fault(Fixture.leaf + Fixture.rsa, Fixture.leafKey)
                == "cert.pem: certificate 2 has not issued certificate 1; order it: the server's own first, then each one's issuer")
    }

    @Test func `what clients refuse of a certificate that can be shown is known`() throws {
        func doubts(_ chain: [UInt8], _ key: [UInt8]) throws -> [CertificateDoubt] {
            try ServerCertificate(chain: chain, key: key, at: ("cert.pem", "key.pem")).doubts
        }
        #expect(try doubts(Fixture.leaf, Fixture.leafKey) == [] && doubts(Fixture.rsa, Fixture.rsaKey) == [])
        #expect(try doubts(DoubtFixture.p521, DoubtFixture.p521Key) == [.curve])
        #expect(try doubts(DoubtFixture.rsa1024, DoubtFixture.rsa1024Key) == [.shortKey])
        #expect(try doubts(DoubtFixture.client, DoubtFixture.clientKey) == [.purpose])
    }

    @Test func `an error never shows a byte of a key`() {
        let text = String(decoding: Fixture.leafKey, as: UTF8.self)
        for line in text.split(separator: "\n").dropFirst().dropLast() {
            #expect(ServerCertificateTests.fault(chain: Fixture.rsa, key: Fixture.leafKey)?.contains(line) == false)
        }
    }

    @Test func `a client gets the certificate of the name that it asks for, exactly or by a wildcard, else the first`() throws {
        let context = try TLSContext(
            [["first.example.com"], ["*.example.com"], ["www.example.com", "example.com"]].map(Conversation.certificate),
            tickets: TicketKeys())
        func shown(_ name: String?) throws -> String {
            try Conversation(context, .init(name: name)).shakeHands().client.serverName
        }
        #expect(try shown("first.example.com") == "first.example.com")
        #expect(try shown("www.example.com") == "www.example.com")
        #expect(try shown("EXAMPLE.com") == "www.example.com")
        #expect(try shown("other.example.com") == "*.example.com")
        #expect(try shown("a.b.example.com") == "first.example.com")
        #expect(try shown("example.org") == "first.example.com")
        #expect(try shown(nil) == "first.example.com")
    }

    @Test func `of two certificates for one name a client gets the one whose kind it knows`() throws {
        let rsa = try ServerCertificate(chain: Fixture.rsa, key: Fixture.rsaKey, at: ("rsa.pem", "rsa.key"))
        let ecdsa = try Conversation.certificate(["both.example.com"])
        for certificates in [[rsa, ecdsa], [ecdsa, rsa]] {
            let context = try TLSContext(certificates, tickets: TicketKeys())
            func shown(_ signatures: String?) throws -> String {
                try Conversation(context, .init(name: "both.example.com", signatures: signatures)).shakeHands().client.serverName
            }
            #expect(try shown(nil) == "both.example.com")
            #expect(try shown("rsa_pss_rsae_sha256") == "rsa.example.com")
            #expect(try shown("ecdsa_secp256r1_sha256") == "both.example.com")
        }
        let context = try TLSContext([ecdsa], tickets: TicketKeys())
        let talk = try Conversation(context, .init(signatures: "rsa_pss_rsae_sha256")).shakeHands()
        #expect(talk.end == .failed(.certificate) || talk.end == .failed(.noSharedCipher))
    }

    @Test func `regression: of certificates that share some of their names each is shown for its own names alone`() throws {
        let rsa = try ServerCertificate(chain: Fixture.rsa, key: Fixture.rsaKey, at: ("rsa.pem", "rsa.key"))
        let ecdsa = try Conversation.certificate(["both.example.com", "other.example.com"])
        let context = try TLSContext([ecdsa, rsa], tickets: TicketKeys())
        #expect(try Conversation(context, .init(name: "rsa.example.com")).shakeHands().client.serverName == "rsa.example.com")
        #expect(try Conversation(context, .init(name: "other.example.com")).shakeHands().client.serverName == "both.example.com")
    }

    @Test func `authorities for clients are read in any order, and told by name and time`() throws {
        let authorities = try ClientAuthorities(Fixture.rsa + Fixture.leafKey + Fixture.root, at: "ca.pem", now: 1_800_000_000)
        #expect(authorities.subjects.map(\.name) == ["rsa", "root"])
        #expect(authorities.subjects.allSatisfy { $0.validFrom < $0.validUntil })
        func fault(_ pem: [UInt8], now: Int64 = 1_800_000_000) -> String? {
            do { _ = try ClientAuthorities(pem, at: "ca.pem", now: now) } catch { return error.description }
            return nil
        }
        #expect(fault([]) == "ca.pem is empty")
        #expect(fault(Fixture.leafKey) == "ca.pem has no certificate; it must be PEM: BEGIN CERTIFICATE")
        #expect(fault(Fixture.rsa + Fixture.root.prefix(200)) == "ca.pem: certificate 2 cannot be read; it is damaged or cut off")
        #expect(
            fault(Fixture.rsa, now: 5_000_000_000)
                == "ca.pem: every authority in it has expired, so nobody could get in; put a valid one there")
    }

    @Test func `a certificate made on the spot has the names and times that were asked for`() throws {
        let files = try SelfSigned.make(
            names: ["localhost", "127.0.0.1", "::1", "Balancer.Example"], from: 1_700_000_000, until: 1_800_000_000)
        let certificate = try ServerCertificate(chain: files.chain, key: files.key, at: ("cert.pem", "key.pem"))
        #expect(certificate.names == ["localhost", "balancer.example"])
        #expect(certificate.addresses == ["127.0.0.1", "0:0:0:0:0:0:0:1"])
        #expect(certificate.validFrom == 1_700_000_000 && certificate.validUntil == 1_800_000_000)
    }
}
