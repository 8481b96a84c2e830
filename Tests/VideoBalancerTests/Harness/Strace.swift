import Foundation
import Glibc
import Testing

/// Makes system calls of a program fail, by strace(1).
enum Strace {
    struct Fault: Sendable, CustomTestStringConvertible {
        let call: String
        let error: String

        var testDescription: String { "\(call): \(error)" }
    }

    /// A command before a command: from the `first` such call of each thread on, all fail.
    static func failing(_ fault: Fault, from first: Int) -> [String] {
        [
            "strace", "-f", "-qq", "-o", "/dev/null", "--seccomp-bpf", "-e", "trace=\(fault.call)",
            "-e", "inject=\(fault.call):error=\(fault.error):when=\(first)+",
        ]
    }

    /// Whether strace is here and allowed to trace: some containers forbid it.
    static let works: Bool = {
        guard let folder = try? Folder() else { return false }
        return (try? Command.run(["strace", "-f", "-qq", "-o", "/dev/null", "true"], in: folder))?.code == 0
    }()
}

extension Strace {
    /// Faults of one thread for as long as this lives: strace attaches to it and lets go of it.
    final class Attached: Sendable {
        private let process: ChildProcess
        private let output: String

        /// Returns when strace is attached.
        ///
        /// - Parameters:
        ///   - when: which calls fail, as strace writes it: `3+5` is the third and then every fifth.
        init(_ fault: Fault, when: String, on thread: FastThread, in folder: Folder) throws {
            output = "\(folder.output)/strace-\(UUID().uuidString)"
            let error = output + ".err"
            process = try ChildProcess(
                [
                    "strace", "-p", thread.id, "-o", output, "-e", "trace=\(fault.call),epoll_wait", "-e",
                    "inject=\(fault.call):error=\(fault.error):when=\(when)",
                ], environment: Command.plainEnvironment, folder: folder.path, output: output + ".out", error: error)
            try eventually("strace to attach", within: 30) {
                if process.poll() != nil { throw Failure("strace ended: \((try? String(contentsOfFile: error, encoding: .utf8)) ?? "")") }
                return try String(contentsOfFile: error, encoding: .utf8).contains("attached")
            }
        }

        deinit { process.end() }

        /// Detaches.
        ///
        /// - Returns: how many calls failed, and how often the thread's waits for events ended otherwise than by their time.
        func end() throws -> (failed: Int, waits: Int) {
            process.send(SIGINT)
            try process.wait()
            let lines = try String(contentsOfFile: output, encoding: .utf8).split(separator: "\n")
            return (lines.count { $0.contains("(INJECTED)") }, lines.count { $0.contains("epoll_wait(") && !$0.hasSuffix(" = 0") })
        }
    }
}
