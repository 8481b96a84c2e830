import Foundation
import Glibc

/// Programs that are run to their end, and where the balancer's binary is.
enum Command {
    struct Finished: CustomStringConvertible {
        let ending: ChildProcess.Ending
        let output: String
        let error: String

        /// The exit code; -1 for a process that was killed.
        var code: CInt { if case .exited(let code) = ending { code } else { -1 } }
        var errorLines: [Substring] { error.split(separator: "\n") }
        var description: String { "\(ending)\n\(output)\(error)" }
    }

    /// The binary under test: `BALANCER_BINARY`, else the debug build beside the test bundle or in the package.
    static let binary: String = {
        if let path = ProcessInfo.processInfo.environment["BALANCER_BINARY"] { return path }
        let bundle = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        let package = URL(fileURLWithPath: #filePath).appending(path: "../../../../.build/debug").standardizedFileURL
        let places = [bundle, package].map { $0.appending(path: "video-balancer").path }
        return places.first(where: FileManager.default.isExecutableFile) ?? "no-binary--build-it-or-set-BALANCER_BINARY"
    }()

    /// It is the release build, which `BALANCER_BINARY` names.
    static let isOptimized = ProcessInfo.processInfo.environment["BALANCER_BINARY"] != nil

    /// Nothing of the developer's own environment reaches the processes.
    static let plainEnvironment = ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin", "LC_ALL": "C.UTF-8"]

    static func run(
        _ command: [String], in folder: Folder, environment: [String: String] = [:], seconds: Double = 60
    ) throws -> Finished {
        let process = try start(command, in: folder, environment: environment)
        return try process.finish(seconds: seconds)
    }

    /// Starts a program whose end can be awaited or brought about.
    static func start(_ command: [String], in folder: Folder, environment: [String: String] = [:]) throws -> Running {
        let files = "\(folder.output)/run-\(UUID().uuidString)"
        let variables = plainEnvironment.merging(environment) { $1 }
        let process = try ChildProcess(
            command, environment: variables, folder: folder.path, output: files + ".out", error: files + ".err")
        return Running(process: process, files: files, folder: folder)
    }

    struct Running {
        let process: ChildProcess
        fileprivate let files: String
        fileprivate let folder: Folder

        func finish(seconds: Double = 60) throws -> Finished {
            defer { process.end() }
            let ending = try process.wait(seconds: seconds)
            defer { for end in [".out", ".err"] { try? FileManager.default.removeItem(atPath: files + end) } }
            return Finished(ending: ending, output: output, error: try String(contentsOfFile: files + ".err", encoding: .utf8))
        }

        /// What it has written to standard output so far.
        var output: String { (try? String(contentsOfFile: files + ".out", encoding: .utf8)) ?? "" }
    }
}

extension Folder {
    /// The database of this folder, as the settings name it.
    var database: String { "sqlite:" + path("balancer.db") }

    /// Runs the balancer's command line in this folder.
    func balancer(
        _ arguments: String..., environment: [String: String] = [:], seconds: Double = 60
    ) throws -> Command.Finished {
        try Command.run([Command.binary] + arguments, in: self, environment: environment, seconds: seconds)
    }

    /// Imports a catalog that must be good.
    ///
    /// - Returns: the revision it was acknowledged as.
    @discardableResult
    func importCatalog(_ text: String) throws -> Int {
        let name = "catalog-\(UUID().uuidString).json"
        try write(text, to: name)
        defer { try? remove(name) }
        let finished = try balancer("catalog", "import", name, "--database", database)
        guard finished.code == 0, let revision = finished.acknowledgedRevision else { throw Failure("import failed: \(finished)") }
        return revision
    }

    /// Asks SQLite's own shell: another program than the one under test.
    func sqlite(_ sql: String, database name: String = "balancer.db") throws -> String {
        let finished = try Command.run(["sqlite3", "-batch", name, ".timeout 10000", sql], in: self)
        guard finished.code == 0 else { throw Failure("sqlite3: \(finished)") }
        return finished.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

extension Command.Finished {
    /// The N of a printed `revision N`.
    var acknowledgedRevision: Int? {
        guard let line = output.split(separator: "\n").first(where: { $0.hasPrefix("revision ") }) else { return nil }
        return Int(line.dropFirst("revision ".count))
    }
}
