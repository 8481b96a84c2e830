import Foundation

/// Programs in C that the tests need (Tests/Tools), compiled once a run.
enum Tool {
    /// Opens connections of all kinds and checks every answer.
    static let connections = compiled("connections")
    /// Keeps connections open, idle after an answer.
    static let crowd = compiled("crowd")
    /// Counts allocations of the fast loops, when it is preloaded.
    static let allocations = compiled("allocations", "-shared", "-fPIC")

    /// Kept until the process ends, and the programs with it.
    private static let folder = Result { try Folder() }

    private static func compiled(_ name: String, _ options: String...) -> Result<String, any Error> {
        Result {
            let folder = try folder.get()
            let source = URL(fileURLWithPath: #filePath).appending(path: "../../../Tools/\(name).c").standardizedFileURL.path
            let finished = try Command.run(["cc", "-O2", "-Wall"] + options + [source, "-o", folder.path(name)], in: folder)
            guard finished.code == 0 else { throw Failure("cc: \(finished)") }
            return folder.path(name)
        }
    }
}

/// What the connections tool counted.
struct ConnectionReport: CustomStringConvertible {
    let description: String
    let code: CInt
    private let counts: [String: Int]

    /// Runs the tool beside a balancer to its end.
    init(_ balancer: Balancer, _ arguments: String..., seconds: Double = 120) throws {
        let command = ["nice", "-n", "5", try Tool.connections.get(), "\(balancer.port)"] + arguments
        let finished = try Command.run(command, in: balancer.folder, seconds: seconds)
        description = finished.description
        code = finished.code
        counts = finished.output.split(separator: "\n").reduce(into: [:]) { counts, line in
            let words = line.split(separator: " ")
            if words.count == 2, let number = Int(words[1]) { counts[String(words[0])] = number }
        }
    }

    subscript(name: String) -> Int { counts[name] ?? -1 }
}
