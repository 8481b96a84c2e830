import Foundation
import Glibc
import Synchronization

/// A process this test run started: in a group of its own, with exactly the environment it is given, its output in files.
///
/// It is ended by its id in all cases: by `end()`, by `deinit`, and, when the test run itself dies, by the `Guard`.
final class ChildProcess: Sendable {
    enum Ending: Equatable {
        case exited(CInt)
        case killed(by: CInt)
    }

    let id: pid_t
    private let program: String
    private let ending = Mutex<Ending?>(nil)

    /// - Parameters:
    ///   - command: a path and its arguments.
    ///   - folder: the working folder.
    ///   - output: path of the file that standard output is written to; likewise `error`.
    init(_ command: [String], environment: [String: String], folder: String, output: String, error: String) throws {
        program = command.joined(separator: " ")
        id = try ChildProcess.spawn(command, environment, folder, output, error)
        Guard.shared.watch(id)
    }

    deinit { end() }

    /// To the process alone, not to its group. Nothing happens when it has ended.
    func send(_ signal: CInt) {
        ending.withLock { known in
            known = reap(known)
            if known == nil { _ = kill(id, signal) }
        }
    }

    /// - Throws: `Timeout` when it still runs after `seconds`.
    @discardableResult
    func wait(seconds: Double = 30) throws -> Ending {
        try eventually("the end of \(program)", within: seconds, every: 0.002) { poll() }
    }

    /// How it ended; nil while it runs.
    func poll() -> Ending? {
        ending.withLock { known in
            known = reap(known)
            return known
        }
    }

    /// Whether it catches, ignores or blocks a signal, so that the signal does not end it (proc(5)).
    func traps(_ signal: CInt) -> Bool {
        let status = (try? String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8)) ?? ""
        return status.split(separator: "\n").contains { line in
            guard ["SigCgt:", "SigIgn:", "SigBlk:"].contains(where: line.hasPrefix), let mask = UInt64(line.suffix(16), radix: 16) else {
                return false
            }
            return mask & (1 << (signal - 1)) != 0
        }
    }

    /// Kills what still runs of it, and all it has started.
    func end() {
        ending.withLock { known in
            known = reap(known)
            guard known == nil else { return }
            _ = kill(-id, SIGKILL)
            var status: CInt = 0
            // unsafe: waitpid writes one integer into the local it is lent.
            while unsafe waitpid(id, &status, 0) < 0, errno == EINTR {}
            known = .killed(by: SIGKILL)
            Guard.shared.forget(id)
        }
    }

    private func reap(_ known: Ending?) -> Ending? {
        if let known { return known }
        var status: CInt = 0
        // unsafe: waitpid writes one integer into the local it is lent.
        guard unsafe waitpid(id, &status, WNOHANG) == id else { return nil }
        Guard.shared.forget(id)
        return status & 0x7F == 0 ? .exited((status >> 8) & 0xFF) : .killed(by: status & 0x7F)
    }

    private static func spawn(
        _ command: [String], _ environment: [String: String], _ folder: String, _ output: String, _ error: String
    ) throws -> pid_t {
        // unsafe, all of it: posix_spawn(3) takes C strings and two opaque structs, which live until it returns.
        var actions = unsafe posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        unsafe posix_spawn_file_actions_init(&actions)
        unsafe posix_spawnattr_init(&attributes)
        defer {
            unsafe posix_spawn_file_actions_destroy(&actions)
            unsafe posix_spawnattr_destroy(&attributes)
        }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        unsafe posix_spawn_file_actions_addopen(&actions, 2, error, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        // Another suite's socket in this process would stay open for as long as the child runs.
        for number in openDescriptors() { unsafe posix_spawn_file_actions_addclose(&actions, number) }
        var noSignals = sigset_t()
        unsafe sigemptyset(&noSignals)
        unsafe posix_spawnattr_setsigmask(&attributes, &noSignals)
        unsafe posix_spawnattr_setpgroup(&attributes, 0)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK))
        // env(1) changes the folder and then becomes the program, under the same id.
        let arguments = unsafe (["env", "-C", folder] + command).map { unsafe strdup($0) } + [nil]
        let variables = unsafe environment.map { unsafe strdup("\($0.key)=\($0.value)") } + [nil]
        defer { unsafe (arguments + variables).forEach { unsafe free($0) } }
        var id: pid_t = 0
        let code = unsafe posix_spawn(&id, "/usr/bin/env", &actions, &attributes, arguments, variables)
        // unsafe: strerror's text is copied at once.
        guard code == 0 else { throw Failure("cannot start \(command[0]): \(unsafe String(cString: strerror(code)))") }
        return id
    }

    private static func openDescriptors() -> [CInt] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []).compactMap { CInt($0) }.filter { $0 > 2 }
    }
}

/// What went wrong in the harness itself.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
