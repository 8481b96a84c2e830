@testable import Steering

/// What no `Location` may ever be, checked without any of the code under test.
struct SafeLocation {
    let table: RoutingTable
    let targets: [Decision.Target]
    private let prefixes: [[[UInt8]]]
    private let hosts: Set<[UInt8]>

    init() throws {
        let setup = Setup(
            domains: ["origin-cluster", "o.example:8080"], servers: ["s[1-3]", "live"],
            cdns: [
                .init(name: "a", url: "http://cdn.example.com"), .init(name: "b", url: "https://cdn.example.com/live"),
                .init(name: "c", url: "http://[::1]:81/x/y", enabled: false),
            ])
        let document = setup.document.setting("/origin/keepScheme", .bool(true))
            .setting("/cdns/0/httpsUrl", .string("https://secure.example:8443/t"))
        table = RoutingTable(try Catalog(document), revision: 1)
        let labels = ["s1", "s2", "s3", "live"]
        let origins = setup.domains.flatMap { domain in labels.map { "\($0).\(domain)" } }
        targets = [.origin] + setup.cdns.indices.map { .cdn($0) }
        prefixes =
            ([origins.flatMap { ["http://\($0)/", "https://\($0)/"] }]
            + setup.cdns.enumerated().map { index, cdn in
                labels.flatMap { ["\(cdn.url)/\($0)/"] + (index == 0 ? ["https://secure.example:8443/t/\($0)/"] : []) }
            }).map { $0.map { Array($0.utf8) } }
        hosts = Set((origins + ["cdn.example.com", "secure.example:8443", "[::1]:81"]).map { Array($0.utf8) })
    }

    /// What is wrong with any Location that some bytes lead to as `video` value, as path, or as query; nil when nothing is.
    func fault(_ bytes: [UInt8]) -> String? {
        for found in [try? table.find(bytes), try? table.find(path: [UInt8(ascii: "/")] + bytes), try? table.find(query: bytes)] {
            guard var found else { continue }
            for target in targets {
                for isByHTTPS in [false, true] {
                    found.video.isAskedByHTTPS = isByHTTPS
                    let location = found.locationBytes(target)
                    if let fault = fault(location, target) { return "\(fault): \(String(decoding: location, as: UTF8.self))" }
                }
            }
        }
        return nil
    }

    /// What is wrong with a `Location` for `target`; nil when nothing is.
    func fault(_ location: [UInt8], _ target: Decision.Target) -> String? {
        let index = if case .cdn(let cdn) = target { cdn + 1 } else { 0 }
        guard location.allSatisfy({ $0 >= 0x21 && $0 <= 0x7E }) else { return "bytes outside 0x21…0x7E" }
        guard prefixes[index].contains(where: { location.starts(with: $0) }) else { return "no prefix of the catalog" }
        let parts = location.split(separator: UInt8(ascii: "/"), maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4, hosts.contains(Array(parts[2])) else { return "a host outside the catalog" }
        let path = parts[3].prefix { $0 != UInt8(ascii: "?") }
        let segments = decoded(path).split(omittingEmptySubsequences: false) { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }
        return segments.contains { $0 == [0x2E] || $0 == [0x2E, 0x2E] } ? "a dot segment" : nil
    }

    private func decoded(_ path: ArraySlice<UInt8>) -> [UInt8] {
        guard path.contains(UInt8(ascii: "%")) else { return Array(path) }
        var out: [UInt8] = []
        var rest = path
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) {
                out.append(value)
                rest = rest.dropFirst(2)
            } else {
                out.append(byte)
            }
        }
        return out
    }
}
