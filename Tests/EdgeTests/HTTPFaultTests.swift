import Testing

@testable import Edge

@Suite struct HTTPFaultTests {
    @Test func `every fault has a status with a reason phrase, a stable name and a sentence`() {
        var names: Set<String> = []
        for fault in HTTPFault.allCases {
            let (status, name, detail) = fault.table
            #expect((400..<600).contains(status), "\(fault)")
            #expect(HTTP1Writer.title(status) != "Status", "\(status) has no reason phrase")
            #expect(name.utf8.allSatisfy { $0 == UInt8(ascii: "-") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }, "\(name)")
            #expect(detail.hasSuffix("."), "\(detail)")
            #expect(names.insert(name).inserted, "\(name) stands twice")
        }
    }
}
