import Foundation
import Glibc

/// A serving balancer: the real binary on ports of its own.
///
/// `defer { balancer.end() }` stands after each start, which also keeps it alive until then.
final class Balancer: Sendable {
    let folder: Folder
    let process: ChildProcess
    /// Ports of the data plane and of the control plane.
    let port: UInt16
    let adminPort: UInt16
    private let logFile: String
    private let errorFile: String

    /// It ended instead of serving.
    struct NotServing: Error {
        let ending: ChildProcess.Ending
        /// What it wrote to standard error.
        let error: String
    }

    /// Starts it and waits until both planes listen and signals are taken care of.
    ///
    /// - Parameters:
    ///   - environment: all that it gets besides PATH; by default what a first start needs.
    ///   - flags: after the flags of every test, so they win.
    ///   - wrapper: a command that runs it, such as strace; it must end with it.
    convenience init(
        in folder: Folder, environment: [String: String] = ["CDN_HOST": "cdn.example.com"], _ flags: String..., wrapper: [String] = []
    ) throws {
        try self.init(in: folder, environment: environment, flags: flags, wrapper: wrapper)
    }

    /// The same, with flags in an array.
    init(
        in folder: Folder, environment: [String: String] = ["CDN_HOST": "cdn.example.com"], flags: [String], wrapper: [String] = []
    ) throws {
        self.folder = folder
        let files = "\(folder.output)/serve-\(UUID().uuidString)"
        logFile = files + ".log"
        errorFile = files + ".err"
        let common = [
            "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--database", folder.database, "--lame-duck", "0", "--drain-timeout", "5",
        ]
        let process = try ChildProcess(
            wrapper + [Command.binary, "serve"] + common + flags, environment: Command.plainEnvironment.merging(environment) { $1 },
            folder: folder.path, output: logFile, error: errorFile)
        self.process = process
        let log = logFile
        do {
            (port, adminPort) = try eventually("both planes to listen", within: 30) {
                let lines = try LogLine.read(log)
                if let port = lines.port("serving redirects", "listen"), let admin = lines.port("serving the control plane", "admin") {
                    return (port, admin)
                }
                if let ending = process.poll() {
                    throw NotServing(ending: ending, error: (try? String(contentsOfFile: files + ".err", encoding: .utf8)) ?? "")
                }
                return nil
            }
            try eventually("SIGTERM to be trapped") { process.traps(SIGTERM) }
        } catch {
            process.end()
            throw error
        }
    }

    deinit { process.end() }

    func end() { process.end() }

    /// SIGTERM, and how it ended.
    @discardableResult
    func stop(seconds: Double = 30) throws -> ChildProcess.Ending {
        process.send(SIGTERM)
        return try process.wait(seconds: seconds)
    }

    /// SIGKILL, and its end.
    func kill() throws {
        process.send(SIGKILL)
        try process.wait()
    }

    /// Every line it logged. Each must be JSON: a line that is not is thrown.
    func log() throws -> [LogLine] { try LogLine.read(logFile) }

    /// What it wrote to standard error: a crash says why there.
    var errorText: String { (try? String(contentsOfFile: errorFile, encoding: .utf8)) ?? "" }

    /// Lines with this message.
    func log(_ message: String) throws -> [LogLine] { try log().filter { $0.message == message } }

    func connection(_ host: String = "127.0.0.1") throws -> HTTPConnection { try HTTPConnection(host, port) }

    /// One request on a connection of its own.
    func get(_ target: String, _ fields: String...) throws -> Answer { try connection().get(target, fields) }

    /// One request to the control plane.
    func admin(_ target: String) throws -> Answer { try HTTPConnection("127.0.0.1", adminPort).get(target, ["Connection: close"]) }

    func metrics() throws -> Metrics { Metrics(try admin("/metrics").text) }

    func waitForRevision(_ revision: Int) throws {
        try eventually("revision \(revision)") { try metrics()["balancer_catalog_revision"] == Double(revision) }
    }

    /// How many sockets and other descriptors it has open. Files are left out: SQLite opens some at its first reads.
    func openDescriptors() throws -> Int {
        let folder = "/proc/\(process.id)/fd/"
        return try FileManager.default.contentsOfDirectory(atPath: folder).count { name in
            // One that was closed meanwhile has no destination any more.
            (try? FileManager.default.destinationOfSymbolicLink(atPath: folder + name))?.hasPrefix("/") == false
        }
    }
}

extension [LogLine] {
    fileprivate func port(_ message: String, _ key: String) -> UInt16? {
        guard let address = first(where: { $0.message == message })?[key], let colon = address.lastIndex(of: ":") else { return nil }
        return UInt16(address[address.index(after: colon)...])
    }
}
