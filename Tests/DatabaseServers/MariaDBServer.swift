import Foundation
import Synchronization

/// A real mariadbd on loopback, in a throw-away folder, as a user without privileges. It ends with this object, and with this process.
public final class MariaDBServer: Sendable {
    public let port: UInt16
    public let folder: String
    private let options: [String]
    private let running = Mutex<Running?>(nil)

    /// A shell that ends the server when this process lets go of its standard input, however that comes about.
    private struct Running {
        let shell: Process
        let input: Pipe
        let id: pid_t
    }

    /// Another child of this process may have been started at the same moment with our end of the pipe: it lets go of whatever it got.
    private static let script = """
        for open in /proc/$BASHPID/fd/*; do
            number=${open##*/}
            [ "$number" -gt 2 ] && eval "exec $number>&-"
        done 2>/dev/null
        log=$1; shift
        "$@" </dev/null >>"$log" 2>&1 &
        echo $!
        while read -r _; do :; done
        kill -KILL $! 2>/dev/null
        wait
        """

    public struct NotStarted: Error, CustomStringConvertible {
        public let description: String
    }

    /// Whether Debian's mariadb-server is here, and Galera's library.
    public static let isInstalled = FileManager.default.isExecutableFile(atPath: "/usr/sbin/mariadbd")
    public static let isClusterInstalled = isInstalled && FileManager.default.fileExists(atPath: "/usr/lib/galera/libgalera_smm.so")

    /// Makes an empty data folder; `start` starts it.
    ///
    /// - Parameters:
    ///   - isEmpty: leaves the data to be filled by another node of a cluster.
    ///   - options: for mariadbd.
    public init(port: UInt16? = nil, isEmpty: Bool = false, _ options: [String] = []) async throws {
        self.port = try port ?? FreePort.take()
        folder = FileManager.default.temporaryDirectory.path + "/mariadb-" + UUID().uuidString
        self.options = options
        MariaDBServer.existing.withLock { $0.append(Existing(server: self)) }
        MariaDBServer.atEnd
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let owner = MariaDBServer.unprivileged
        if let owner { try FileManager.default.setAttributes([.ownerAccountID: owner, .groupOwnerAccountID: owner], ofItemAtPath: folder) }
        // Servers in one folder for temporary tables remove one another's.
        let tables = try await MariaDBServer.run(MariaDBServer.asUser + ["mkdir", folder + "/tmp", folder + "/data"])
        guard tables.code == 0 else { throw NotStarted(description: tables.output) }
        if isEmpty { return }
        let command = [
            "mariadb-install-db", "--no-defaults", "--datadir=\(folder)/data", "--auth-root-authentication-method=normal", "--skip-test-db",
            "--tmpdir=\(folder)/tmp", "--innodb-log-file-size=16M",
        ]
        let install = try await MariaDBServer.run(MariaDBServer.asUser + command)
        guard install.code == 0 else { throw NotStarted(description: "mariadb-install-db: \(install.output)") }
    }

    deinit { remove() }

    private func remove() {
        kill()
        try? FileManager.default.removeItem(atPath: folder)
    }

    private struct Existing {
        weak var server: MariaDBServer?
    }

    private static let existing = Mutex<[Existing]>([])

    /// Nobody lets go of the servers that suites share: they and their folders go when the process ends.
    private static let atEnd: Void = {
        atexit { for entry in MariaDBServer.existing.withLock({ $0 }) { entry.server?.remove() } }
    }()

    /// Starts it, and waits until it answers.
    ///
    /// - Parameter answer: what it must say; by default anything.
    public func start(_ more: [String] = [], question: String = "SELECT 'up'", answer: String = "up") async throws {
        try launch(more)
        try await waitForAnswer(question: question, answer: answer)
    }

    private var command: [String] {
        MariaDBServer.asUser + [
            "mariadbd", "--no-defaults", "--datadir=\(folder)/data", "--socket=\(folder)/sock", "--port=\(port)",
            "--tmpdir=\(folder)/tmp", "--bind-address=127.0.0.1", "--pid-file=\(folder)/pid", "--innodb-buffer-pool-size=32M",
            "--innodb-log-file-size=16M",
            "--innodb-flush-log-at-trx-commit=1",
        ] + options
    }

    /// The number of the last transaction that a killed node of a cluster has stored.
    func recoveredPosition() async throws -> Int {
        let output = try await MariaDBServer.run(command + ["--wsrep-cluster-address=gcomm://", "--wsrep-recover"]).output
        let line = output.split(separator: "\n").last { $0.contains("Recovered position") }
        guard let position = line?.split(separator: ":").last.flatMap({ Int($0) }) else {
            throw NotStarted(description: "no position: \(output.suffix(1500))")
        }
        return position
    }

    /// Starts it without waiting.
    public func launch(_ more: [String] = []) throws {
        let command = command + more
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/bin/bash")
        shell.arguments = ["-c", MariaDBServer.script, "bash", "\(folder)/log"] + command
        let input = Pipe()
        let output = Pipe()
        shell.standardInput = input
        shell.standardOutput = output
        try shell.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        guard let id = pid_t(line.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw NotStarted(description: "mariadbd was not started: \(line)")
        }
        running.withLock { $0 = Running(shell: shell, input: input, id: id) }
    }

    /// Asks until it says `answer`.
    ///
    /// Of all tests at once a task may wait a minute for its turn, and has then asked once: so a time alone proves nothing against the server.
    public func waitForAnswer(question: String = "SELECT 'up'", answer: String = "up", seconds: Double = 60) async throws {
        let end = Date.now + seconds
        var questions = 0
        while Date.now < end || questions < 100 {
            questions += 1
            if try await ask(question).output.contains(answer) { return }
            guard isRunning else { break }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw NotStarted(description: "mariadbd on port \(port) did not come up in \(questions) questions: \(logTail)")
    }

    public var isRunning: Bool { running.withLock { running in running.map { Foundation.kill($0.id, 0) == 0 } ?? false } }

    /// SIGKILL, and waits for its end.
    public func kill() {
        let ended = running.withLock { running in
            defer { running = nil }
            return running
        }
        guard let ended else { return }
        _ = Foundation.kill(ended.id, SIGKILL)
        try? ended.input.fileHandleForWriting.close()
        ended.shell.terminate()
        // Its shell reaps it, and then there is no such process.
        for _ in 0..<2000 where Foundation.kill(ended.id, 0) == 0 { usleep(5000) }
        MariaDBServer.reap(ended.shell)
    }

    /// Foundation does so late, for the reason that `run` names, and until then the thread that waits for tests of exits sees that child alone.
    private static func reap(_ process: Process) {
        // A status is not asked for.
        for _ in 0..<2000 {
            if waitpid(process.processIdentifier, nil, WNOHANG) != 0 { return }
            usleep(5000)
        }
    }

    /// SIGSTOP or SIGCONT, for a server that hangs. Returns when all of its threads have stopped, which on a busy machine takes a while.
    public func send(_ signal: CInt) {
        guard let id = running.withLock({ $0?.id }) else { return }
        _ = Foundation.kill(id, signal)
        guard signal == SIGSTOP else { return }
        for _ in 0..<2000 where !MariaDBServer.isStopped(id) { usleep(5000) }
    }

    private static func isStopped(_ id: pid_t) -> Bool {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(id)/task")) ?? []
        return tasks.allSatisfy { task in
            ((try? String(contentsOfFile: "/proc/\(id)/task/\(task)/stat", encoding: .utf8)) ?? "").contains(") T ")
        }
    }

    /// Asks by Debian's own client: another program than the one under test.
    @discardableResult
    public func ask(_ sql: String, database: String = "", user: String = "root", password: String = "") async throws -> (
        code: CInt, output: String
    ) {
        let login = ["--host=127.0.0.1", "--port=\(port)", "--user=\(user)", "--password=\(password)", "--connect-timeout=5"]
        return try await MariaDBServer.run(["mariadb", "--no-defaults"] + login + ["--batch", "--skip-column-names", "-e", sql, database])
    }

    public var logTail: String {
        String((try? String(contentsOfFile: folder + "/log", encoding: .utf8))?.suffix(1500) ?? "")
    }

    /// mariadbd refuses to run as root, and a root rsync gives up its privileges in the middle.
    private static let unprivileged: Int? = getuid() == 0 ? 65534 : nil
    private static let asUser = unprivileged.map { ["setpriv", "--reuid=\($0)", "--regid=\($0)", "--clear-groups"] } ?? []

    /// Runs a command to its end.
    ///
    /// The end is that of its output, and the code its last line: Foundation learns of a process's end by a socket that other children may
    /// have inherited, and `waitUntilExit` then waits for those, which may be servers.
    public static func run(_ command: [String]) async throws -> (code: CInt, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", #""$@" 2>&1; printf '\n%s' "$?""#, "sh"] + command
        var environment = ProcessInfo.processInfo.environment
        environment["PATH"] = (environment["PATH"] ?? "") + ":/usr/sbin:/usr/bin:/sbin:/bin"
        process.environment = environment
        let output = Pipe()
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        try process.run()
        let data = await withCheckedContinuation { continuation in
            // A thread of its own: the shared ones may all be held by tests that block.
            Thread.detachNewThread {
                let data = output.fileHandleForReading.readDataToEndOfFile()
                // For the same reason `process` may keep its pipe until the servers end, and after a thousand pipes Foundation crashes.
                try? output.fileHandleForReading.close()
                MariaDBServer.reap(process)
                continuation.resume(returning: String(decoding: data, as: UTF8.self))
            }
        }
        let end = data.lastIndex(of: "\n") ?? data.startIndex
        guard let code = CInt(data[end...].dropFirst()) else {
            throw NotStarted(description: "\(command.joined(separator: " ")) was cut off: \(data)")
        }
        return (code, String(data[..<end]))
    }
}
