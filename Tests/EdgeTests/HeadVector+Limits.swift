@testable import Edge

extension [HeadVector] {
    /// At the borders of the default limits: target 8 KiB, 100 fields, 16 KiB of fields without the last line's end.
    static let limits: [HeadVector] = [
        .accepts(HeadVector.head("GET /\(filling(8191)) HTTP/1.1"), ReadHead(target: "/\(filling(8191))")),
        .refuses(HeadVector.head("GET /\(filling(8192)) HTTP/1.1"), .targetTooLong),
        .refuses("GET /\(filling(8192))", .targetTooLong),
        .waits("GET /\(filling(8191))"),
        .accepts(HeadVector.head(fields: ["Host: h"] + (1..<100).map { "X\($0): y" })),
        .refuses(HeadVector.head(fields: ["Host: h"] + (1...100).map { "X\($0): y" }), .tooManyFields),
        .refuses(HeadVector.head(fields: (1...100).map { "X\($0): y" } + ["Host: h"]), .tooManyFields),
        .accepts(HeadVector.head(fields: ["Host: h", "X: \(filling(16384 - 9 - 3))"])),
        .refuses(HeadVector.head(fields: ["Host: h", "X: \(filling(16384 - 9 - 2))"]), .headTooLarge),
        .refuses("GET / HTTP/1.1\r\n\(filling(16386))", .headTooLarge),
        .refuses("GET / HTTP/1.1\r\nX:\(String(repeating: " ", count: 16386))", .headTooLarge),
        .refuses("GET / HTTP/1.1\r\n" + (0..<99).map { "\(filling(200)): \($0)\r\n" }.joined(), .headTooLarge),
        .waits("GET / HTTP/1.1\r\n\(filling(16385))"),
        .accepts(
            HeadVector.head("GET /\(filling(8191)) HTTP/1.1", ["Host: h", "X: \(filling(16384 - 12))"]),
            ReadHead(target: "/\(filling(8191))")),
    ]

    private static func filling(_ count: Int) -> String { String(repeating: "x", count: count) }
}
