import TLS
import Testing

/// A short run of what the fuzzer does for hours: scripts/fuzz FuzzRecords.
struct FuzzedRecordTests {
    @Test func `sessions under damaged, cut and repeated records hear nothing that was not said, and end or go on`() throws {
        let property = try RecordProperty()
        // The scripts are the same in each run, so that a finding can be repeated.
        var state: UInt64 = 1488
        func number(_ bound: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % bound
        }
        for round in 0..<400 {
            // Half of them shake hands first.
            let start: [UInt8] =
                [UInt8(number(256)), UInt8(number(4) == 0 ? number(256) : 0)] + (number(2) == 0 ? [0, 0, 0, 0, 0, 0] : [])
            let script = start + (0..<number(40)).map { _ in UInt8(number(256)) }
            #expect(try property.fault(script) == nil, "round \(round): \(script)")
        }
    }

    @Test func `the fuzzer's clients meet each reason for which a handshake is refused`() throws {
        let property = try RecordProperty()
        var met: Set<TLSSession.Failure> = []
        for flavour in 0...7 as ClosedRange<UInt8> {
            if let failure = try property.failure(flavour) { met.insert(failure) }
        }
        #expect(met.isSuperset(of: [.noSharedProtocol, .noSharedCipher, .version]), "\(met)")
    }

    @Test func `the property sees an honest conversation as one`() throws {
        let property = try RecordProperty()
        for kind in [0, 1, 2, 3, 252, 255] as [UInt8] {
            // Three flights, words, a key update, words, other buffers, words, the end.
            let script: [UInt8] = [0, 0, 0, 0, 0, 0, 1, 5, 2, 0, 1, 201, 8, 0, 1, 7, 3, 0]
            for flavour in [0, 6, 0x10, 0x26, 0x30] as [UInt8] {
                #expect(try property.fault([kind, flavour] + script) == nil, "\(kind), \(flavour)")
            }
        }
    }
}
