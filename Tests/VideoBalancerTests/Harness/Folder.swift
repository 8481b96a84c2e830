import Foundation
import Glibc

/// A throw-away folder: the working folder of the processes of one test, removed with it.
final class Folder: Sendable {
    let path: String
    /// Beside it: what the processes print, also when they may not write in the folder itself.
    let output: String
    private let root: String

    init() throws {
        root = "/tmp/balancer-test-" + UUID().uuidString
        path = root + "/work"
        output = root + "/output"
        for folder in [path, output] { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    func path(_ name: String) -> String { "\(path)/\(name)" }

    func write(_ text: String, to name: String) throws { try text.write(toFile: path(name), atomically: false, encoding: .utf8) }

    func text(_ name: String) throws -> String { try String(contentsOfFile: path(name), encoding: .utf8) }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

    func move(_ name: String, to other: String) throws {
        // unsafe: the paths are lent as C strings for the call. rename(2), because it replaces at once.
        guard unsafe rename(path(name), path(other)) == 0 else { throw Failure("cannot rename \(path(name))") }
    }

    func copy(_ name: String, to other: String) throws { try FileManager.default.copyItem(atPath: path(name), toPath: path(other)) }

    func remove(_ names: String...) throws {
        for name in names where exists(name) { try FileManager.default.removeItem(atPath: path(name)) }
    }

    func setMode(_ mode: mode_t, of name: String = ".") throws {
        // unsafe: the path is lent as a C string for the call.
        guard unsafe chmod(path(name), mode) == 0 else { throw Failure("cannot change the mode of \(path(name))") }
    }

    /// Removes what SQLite and the balancer keep under the name: `-wal` and `-shm` too, which would be taken for the next file's.
    func removeDatabase(_ name: String = "balancer.db") throws { try remove(name, name + "-wal", name + "-shm") }
}
