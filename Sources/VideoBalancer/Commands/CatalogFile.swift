import Foundation
import Serving
import Steering
import Storage

/// A catalog in a file, JSON or YAML by its ending; `-` is JSON from standard input.
enum CatalogFile {
    /// - Throws: `ConfigurationFault` when the file cannot be read or parsed, else with every fault of its content.
    static func read(_ path: String) throws -> Catalog {
        guard let bytes = contents(path) else {
            throw ConfigurationFault("\(path): cannot be read; give a JSON or YAML file, or - for standard input")
        }
        var yaml = CatalogYAML(path)
        let document = try path.hasSuffix(".yaml") || path.hasSuffix(".yml") ? yaml.read(bytes) : json(bytes, path)
        do throws(CatalogFaults) {
            return try Catalog(document, knowsZone: TimeZones.know)
        } catch {
            throw ConfigurationFault(error.faults.map { "\(path): \($0)\(yaml.hint(at: $0.pointer))" }.joined(separator: "\n"))
        }
    }

    /// A whole file, or all of standard input; nil when it cannot be read.
    static func contents(_ path: String) -> Data? {
        guard path == "-" else { return FileManager.default.contents(atPath: path) }
        do { return try FileHandle.standardInput.readToEnd() ?? Data() } catch { return nil }
    }

    private static func json(_ bytes: Data, _ path: String) throws -> Document {
        do throws(JSONSyntaxError) {
            return try Document(json: Array(bytes))
        } catch {
            throw ConfigurationFault("\(path): \(error)")
        }
    }
}
