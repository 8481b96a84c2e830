import DatabaseServers
import Foundation
import Glibc
import Testing

/// A log that cannot be written may never hurt: the balancer starts, serves, edits and stops. Regression: it died of `try!` in
/// `FileHandle.write`, or stood still in write(2) while callers waited.
@Suite(.onThreads)
struct LogTroubleTests {
    private static let environment = ["CDN_HOST": "cdn.example.com", "BALANCER_ADMIN_TOKEN": Editor.token]

    /// How standard output is broken; a shell's words before the command, `"$@"` in it.
    enum Output: String, CaseIterable {
        case full = #"exec "$@" > /dev/full"#
        case closed = #"exec "$@" >&-"#
        /// `true` ends at once.
        case brokenPipe = #"mkfifo out.$$; true < out.$$ & exec "$@" > out.$$"#
        /// `sleep` never reads, so the pipe, one page, fills.
        case neverRead = #"""
            mkfifo out.$$; sleep 600 < out.$$ & exec python3 -c '
            import fcntl, os, sys
            fcntl.fcntl(1, 1031, 4096)
            os.execvp(sys.argv[1], sys.argv[1:])' "$@" > out.$$
            """#
        case neverReadNonBlocking = #"""
            mkfifo out.$$; sleep 600 < out.$$ & exec python3 -c '
            import fcntl, os, sys
            fcntl.fcntl(1, 1031, 4096)
            fcntl.fcntl(1, fcntl.F_SETFL, os.O_WRONLY | os.O_NONBLOCK)
            os.execvp(sys.argv[1], sys.argv[1:])' "$@" > out.$$
            """#
    }

    @Test(arguments: Output.allCases)
    func `whatever becomes of standard output, it starts, serves, edits and stops`(output: Output) throws {
        let folder = try Folder()
        let (port, admin) = (try FreePort.take(), try FreePort.take())
        let process = try Command.start(
            [
                "sh", "-c", output.rawValue, "sh", Command.binary, "serve", "--listen", "127.0.0.1:\(port)", "--admin",
                "127.0.0.1:\(admin)", "--database", folder.database, "--lame-duck", "0", "--drain-timeout", "1", "--log-level", "trace",
            ], in: folder, environment: LogTroubleTests.environment)
        defer {
            process.process.end()
            // What reads the pipe, or does not, is in its group and outlives it.
            kill(-process.process.id, SIGKILL)
        }
        try eventually("both planes to answer", within: 60) {
            (try? HTTPConnection("127.0.0.1", admin).get("/readyz", []).status) == 200
                && (try? HTTPConnection("127.0.0.1", port).get(Sample.target, []).status) == 301 ? true : nil
        }
        let editor = Editor(port: admin)
        // More lines than a pipe and the buffers hold are written by requests at level trace.
        for number in 1...40 {
            guard case .accepted = editor.edit(every: number + 1, comment: "edit-\(number)") else {
                Issue.record("edit \(number)")
                break
            }
        }
        #expect(try HTTPConnection("127.0.0.1", port).get(Sample.target, []).status == 301)
        let metrics = Metrics(try HTTPConnection("127.0.0.1", admin).get("/metrics", ["Connection: close"]).text)
        let lost = try #require(metrics["balancer_log_lost_lines_total"])
        if output == .full || output == .closed || output == .brokenPipe { #expect(lost > 0) }
        process.process.send(SIGTERM)
        #expect(try process.process.wait(seconds: 30) == .exited(0))
    }

    @Test func `a reader that goes after the start costs lines, and edits go on`() throws {
        let folder = try Folder()
        let (port, admin) = (try FreePort.take(), try FreePort.take())
        let process = try Command.start(
            [
                "sh", "-c", #"mkfifo out; cat < out > seen & echo $! > reader; exec "$@" > out"#, "sh", Command.binary, "serve", "--listen",
                "127.0.0.1:\(port)", "--admin", "127.0.0.1:\(admin)", "--database", folder.database, "--lame-duck", "0",
            ], in: folder, environment: LogTroubleTests.environment)
        defer {
            process.process.end()
            // What reads the pipe, or does not, is in its group and outlives it.
            kill(-process.process.id, SIGKILL)
        }
        try eventually("the control plane", within: 60) {
            (try? HTTPConnection("127.0.0.1", admin).get("/readyz", []).status) == 200 ? true : nil
        }
        try eventually("the first lines, written promptly") {
            (try? String(contentsOfFile: folder.path("seen"), encoding: .utf8))?.contains("serving the control plane") == true ? true : nil
        }
        let reader = try #require(
            pid_t(try String(contentsOfFile: folder.path("reader"), encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)))
        kill(reader, SIGKILL)
        let editor = Editor(port: admin)
        for number in 1...3 {
            #expect(editor.edit(every: number + 1, comment: "edit") == .accepted(revision: number + 1))
        }
        process.process.send(SIGTERM)
        #expect(try process.process.wait(seconds: 60) == .exited(0))
    }

    @Test(arguments: [["settings"], ["metrics"], ["check", "good.json"]])
    func `a command with a broken pipe behind it ends quietly with exit code 1`(command: [String]) throws {
        let folder = try Folder()
        try folder.write(Sample.catalog(), to: "good.json")
        // The reader has opened the pipe and gone before the command writes.
        let script = #"mkfifo out; sh -c 'exec < out; exec true' & { wait $!; "$@"; echo $? >&2; } > out"#
        let piped = try Command.run(["sh", "-c", script, "sh", Command.binary] + command, in: folder)
        #expect(piped.error == "1\n", "\(piped)")
    }

    @Test(arguments: [["settings"], ["metrics"], ["check", "good.json"]])
    func `a command whose output finds a full disk says so in one line`(command: [String]) throws {
        let folder = try Folder()
        try folder.write(Sample.catalog(), to: "good.json")
        let full = try Command.run(["sh", "-c", #""$@" > /dev/full"#, "sh", Command.binary] + command, in: folder)
        #expect(full.code == 1)
        #expect(full.error == "video-balancer: standard output cannot be written: No space left on device\n", "\(full)")
    }

    @Test func `errors for a closed or full standard error keep the exit code`() throws {
        let folder = try Folder()
        for script in [#""$@" 2> /dev/full"#, #""$@" 2>&-"#] {
            #expect(try Command.run(["sh", "-c", script, "sh", Command.binary, "check", "absent.json"], in: folder).code == 78)
        }
    }

    @Test func `standard input that cannot be read is a fault`() throws {
        let folder = try Folder()
        for script in [#""$@" < ."#, #""$@" <&-"#] {
            let finished = try Command.run(["sh", "-c", script, "sh", Command.binary, "check", "-"], in: folder)
            #expect(finished.code == 78 && finished.error.contains("cannot be read"), "\(finished)")
        }
    }
}
