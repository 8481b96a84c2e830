import Foundation
import Glibc
import Synchronization

/// Ends the processes of a test run that dies before it can: a small shell that waits for the end of a pipe only the run holds.
final class Guard: Sendable {
    static let shared = Guard()

    private static let script = """
        trap '' INT TERM HUP
        live=' '
        while read -r verb id; do
          case $verb in
            watch) live="$live$id " ;;
            forget) live="${live%% $id *} ${live#* $id }" ;;
          esac
        done
        for id in $live; do kill -KILL "-$id"; done
        """

    private let pipe: Mutex<FileHandle>

    private init() {
        let pipe = Pipe()
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/bin/sh")
        shell.arguments = ["-c", Guard.script]
        shell.standardInput = pipe
        shell.standardError = FileHandle.nullDevice
        // Without the guard the tests still end their processes; only a crash of the test run would leave some.
        try? shell.run()
        self.pipe = Mutex(pipe.fileHandleForWriting)
    }

    func watch(_ id: pid_t) { tell("watch \(id)\n") }
    func forget(_ id: pid_t) { tell("forget \(id)\n") }

    private func tell(_ line: String) {
        pipe.withLock { try? $0.write(contentsOf: Data(line.utf8)) }
    }
}
