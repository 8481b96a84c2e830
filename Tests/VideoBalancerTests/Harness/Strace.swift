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
