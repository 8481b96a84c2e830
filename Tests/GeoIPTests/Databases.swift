import Foundation

/// Databases that Databases/make.py made, and files made of them.
enum Databases {
    static func path(_ name: String) -> String {
        URL(fileURLWithPath: #filePath).appending(path: "../Databases/\(name).mmdb").standardizedFileURL.path
    }

    static func bytes(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path(name)))) }

    /// Lends a file with these bytes.
    static func withFile<Value>(_ bytes: [UInt8], _ body: (String) throws -> Value) throws -> Value {
        let path = "/tmp/geoip-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return try body(path)
    }
}
