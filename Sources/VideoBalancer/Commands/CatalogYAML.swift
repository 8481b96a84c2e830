import Foundation
import Serving
import Steering
import Storage
import Yams

/// Reads YAML 1.1 (https://yaml.org/spec/1.1), by each node's own tag: a quoted "10" stays a string. What 1.1 reads as something else than
/// it looks like is told: `NO` is false, `19:00` is 1140, `010` is 8.
struct CatalogYAML {
    private let path: String
    private var nodes = 0
    /// Words that were read as true or false, by their pointer.
    private var words: [String: String] = [:]
    private var faults: [String] = []

    /// More than any catalog has. Anchors and aliases can make a short text stand for very many.
    private static let maximumNodes = 100_000

    init(_ path: String) { self.path = path }

    /// - Throws: `ConfigurationFault` when it is no YAML, or has numbers that are not what they look like.
    mutating func read(_ bytes: Data) throws -> Document {
        do {
            let text = String(decoding: bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes, as: UTF8.self)
            guard bytes.count <= Document.maximumText, let node = try Yams.compose(yaml: text) else {
                throw ConfigurationFault("\(path): is empty or longer than \(Document.maximumText) bytes")
            }
            let document = try document(node, at: "")
            if !faults.isEmpty { throw ConfigurationFault(faults.joined(separator: "\n")) }
            return document
        } catch let error as YamlError {
            throw ConfigurationFault("\(path): not valid YAML: \("\(error)".split(separator: "\n").first ?? "")")
        }
    }

    /// What to add to a fault at this place.
    func hint(at pointer: String) -> String {
        words[pointer].map { "; YAML reads the word \($0) so: quote it, \"\($0)\"" } ?? ""
    }

    private mutating func document(_ node: Node, at pointer: String) throws -> Document {
        nodes += 1
        guard nodes <= CatalogYAML.maximumNodes else {
            throw ConfigurationFault("\(path): stands for more than \(CatalogYAML.maximumNodes) values; write it without aliases")
        }
        switch node {
        case .scalar(let scalar): return value(of: scalar, node, at: pointer)
        case .sequence(let sequence):
            return .array(try sequence.enumerated().map { try document($0.element, at: "\(pointer)/\($0.offset)") })
        case .mapping(let mapping):
            return .object(
                try mapping.map {
                    let key = $0.key.string ?? ""
                    return .init(key, try document($0.value, at: "\(pointer)/\(Fault.escaped(key))"))
                })
        case .alias: return .null
        }
    }

    private mutating func value(of scalar: Node.Scalar, _ node: Node, at pointer: String) -> Document {
        switch node.tag.description {
        case Tag.Name.null.rawValue: return .null
        case Tag.Name.bool.rawValue:
            if !["true", "false"].contains(scalar.string.lowercased()) { words[pointer] = scalar.string }
            return node.bool.map(Document.bool) ?? .string(scalar.string)
        case Tag.Name.int.rawValue:
            noteDisguise(scalar, "\(node.int ?? 0)", at: pointer)
            return node.int.map(Document.integer) ?? .string(scalar.string)
        case Tag.Name.float.rawValue:
            noteDisguise(scalar, "\(node.float ?? 0)", at: pointer)
            return node.float.map(Document.number) ?? .string(scalar.string)
        default: return .string(scalar.string)
        }
    }

    /// Times are numbers to the base of 60, and a leading zero makes a number octal.
    private mutating func noteDisguise(_ scalar: Node.Scalar, _ value: String, at pointer: String) {
        let text = scalar.string
        guard text.contains(":") || text.contains(/^[-+]?0[0-9_]/) else { return }
        let line = scalar.mark.map { ":\($0.line)" } ?? ""
        faults.append(
            "\(path)\(line): \(pointer): YAML reads \(text) as \(value); quote it, \"\(text)\", or write the number without zeros before it"
        )
    }
}
