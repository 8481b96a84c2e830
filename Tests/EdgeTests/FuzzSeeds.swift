import Foundation
import Testing

/// The inputs of the fuzz targets, as Fuzz/corpus writes them. SteeringTests links to this file.
enum FuzzSeeds {
    /// - Parameter name: of a file in Fuzz/seeds, without its ending.
    static func read(_ name: String) throws -> [[UInt8]] {
        let file = URL(fileURLWithPath: #filePath).appending(path: "../../../Fuzz/seeds/\(name).txt").standardizedFileURL
        let lines = try Data(contentsOf: file).split(separator: 0x0A, omittingEmptySubsequences: false).dropLast()
        try #require(lines.count > 100, "\(lines.count) seeds in \(file.path)")
        return lines.map { unescaped(Array($0)) }
    }

    private static func unescaped(_ line: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = line[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let kind = rest.popFirst() else {
                bytes.append(byte)
                continue
            }
            switch kind {
            case UInt8(ascii: "r"): bytes.append(0x0D)
            case UInt8(ascii: "n"): bytes.append(0x0A)
            case UInt8(ascii: "x"):
                bytes.append(UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) ?? 0)
                rest = rest.dropFirst(2)
            default: bytes.append(kind)
            }
        }
        return bytes
    }
}
