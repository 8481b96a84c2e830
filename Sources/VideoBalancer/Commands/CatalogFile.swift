import Foundation
import Serving
import Steering
import Storage
import Yams

/// A catalog in a file, JSON or YAML by its ending; `-` is JSON from standard input.
enum CatalogFile {
    /// - Throws: `ConfigurationFault` when the file cannot be read or parsed; `CatalogFaults` with every fault of its content.
    static func read(_ path: String) throws -> Catalog {
        guard let bytes = path == "-" ? FileHandle.standardInput.readDataToEndOfFile() : FileManager.default.contents(atPath: path) else {
            throw ConfigurationFault("\(path): cannot be read; give a JSON or YAML file, or - for standard input")
        }
        let isYAML = path.hasSuffix(".yaml") || path.hasSuffix(".yml")
        let document = try isYAML ? yaml(bytes, path) : json(bytes, path)
        do throws(CatalogFaults) {
            return try Catalog(document)
        } catch {
            throw ConfigurationFault(error.faults.map { "\(path): \($0)" }.joined(separator: "\n"))
        }
    }

    private static func json(_ bytes: Data, _ path: String) throws -> Document {
        do throws(JSONSyntaxError) {
            return try Document(json: Array(bytes))
        } catch {
            throw ConfigurationFault("\(path): \(error)")
        }
    }

    private static func yaml(_ bytes: Data, _ path: String) throws -> Document {
        do {
            guard bytes.count <= Document.longestText, let node = try Yams.compose(yaml: String(decoding: bytes, as: UTF8.self)) else {
                throw ConfigurationFault("\(path): is empty or longer than \(Document.longestText) bytes")
            }
            var nodes = 0
            return try document(node, &nodes, path)
        } catch let error as YamlError {
            throw ConfigurationFault("\(path): not valid YAML: \("\(error)".split(separator: "\n").first ?? "")")
        }
    }

    /// More than any catalog has. Anchors and aliases can make a short text stand for very many.
    private static let mostNodes = 100_000

    /// By the node's own tag: a quoted "10" stays a string.
    private static func document(_ node: Node, _ nodes: inout Int, _ path: String) throws -> Document {
        nodes += 1
        guard nodes <= mostNodes else {
            throw ConfigurationFault("\(path): stands for more than \(mostNodes) values; write it without aliases")
        }
        switch node {
        case .scalar(let scalar):
            switch node.tag.description {
            case Tag.Name.null.rawValue: return .null
            case Tag.Name.bool.rawValue: return node.bool.map(Document.bool) ?? .string(scalar.string)
            case Tag.Name.int.rawValue: return node.int.map(Document.integer) ?? .string(scalar.string)
            case Tag.Name.float.rawValue: return node.float.map(Document.number) ?? .string(scalar.string)
            default: return .string(scalar.string)
            }
        case .sequence(let sequence): return .array(try sequence.map { try document($0, &nodes, path) })
        case .mapping(let mapping):
            return .object(try mapping.map { .init($0.key.string ?? "", try document($0.value, &nodes, path)) })
        case .alias: return .null
        }
    }
}
