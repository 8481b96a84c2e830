import TLSPeer
import Testing

@testable import TLS

/// What an authority says about a certificate, shown beside it.
struct OCSPResponseTests {
    /// A day before `ofADay` is over.
    private static let now: Int64 = 1_795_868_053

    private static func certificate(_ staple: OCSPResponse? = nil) throws -> ServerCertificate {
        try ServerCertificate(
            chain: StapleFixture.leaf + StapleFixture.root, key: StapleFixture.leafKey, at: ("cert.pem", "cert.key"), staple: staple)
    }

    private static func read(_ bytes: [UInt8], now: Int64 = now) throws -> OCSPResponse {
        try OCSPResponse(bytes, at: "cert.ocsp", for: certificate(), now: now)
    }

    private static func fault(_ bytes: [UInt8], now: Int64 = now) -> String? {
        do {
            _ = try read(bytes, now: now)
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test func `a client that asks for the response gets it, and one that does not gets none`() throws {
        let context = try TLSContext([try Self.certificate(try Self.read(StapleFixture.good))], tickets: TicketKeys())
        for version in [0x303, 0x304] as [CInt] {
            let asking = try Conversation(context, .init(versions: version...version, wantsStaple: true)).shakeHands()
            #expect(asking.client.isEstablished && asking.client.staple == StapleFixture.good)
            #expect(try Conversation(context, .init(versions: version...version)).shakeHands().client.staple.isEmpty)
        }
        let without = try TLSContext([try Self.certificate()], tickets: TicketKeys())
        let asking = try Conversation(without, .init(wantsStaple: true)).shakeHands()
        #expect(asking.client.isEstablished && asking.client.staple.isEmpty)
    }

    @Test func `its end is read, or that it has none`() throws {
        #expect(try Self.read(StapleFixture.ofADay).validUntil == 1_795_954_452)
        #expect(try Self.read(StapleFixture.withoutEnd).validUntil == nil)
        #expect(try #require(Self.read(StapleFixture.good).validUntil) > 4_000_000_000)
    }

    @Test func `what no client could use is refused in one line that says why`() throws {
        #expect(Self.fault(StapleFixture.ofAnother) == "cert.ocsp is about another certificate; ask for the one that it lies beside")
        #expect(
            Self.fault(StapleFixture.revoked)
                == "cert.ocsp says that the certificate is revoked or unknown to its authority; replace it")
        let expired = "cert.ocsp has expired; ask the authority for a new one"
        #expect(Self.fault(StapleFixture.ofADay, now: 1_795_954_451) == nil)
        #expect(Self.fault(StapleFixture.ofADay, now: 1_795_954_452) == expired)
        #expect(Self.fault(StapleFixture.leaf)?.hasPrefix("cert.ocsp is no OCSP response that can be read") == true)
    }

    @Test func `bytes that are cut, longer or changed are refused or read, and never trap`() throws {
        let whole = StapleFixture.good
        for length in 0..<whole.count where length < whole.count { #expect(Self.fault(Array(whole[..<length])) != nil, "\(length)") }
        #expect(Self.fault(whole + [0]) != nil)
        for index in whole.indices {
            for value in [0, 0x30, 0x7F, 0x80, 0x83, 0x84, 0xFF] as [UInt8] {
                var changed = whole
                changed[index] = value
                // Nothing is expected of it but an end.
                _ = Self.fault(changed)
            }
        }
    }
}
