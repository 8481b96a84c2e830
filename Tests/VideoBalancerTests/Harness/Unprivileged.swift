import Foundation
import Glibc

/// A user for whom file modes count: the one who runs the tests, or nobody when that is root.
struct Unprivileged {
    /// Goes before a command.
    let wrapper: [String]

    private static let nobody: uid_t = 65534

    /// - Parameter folder: becomes the user's own.
    init(_ folder: Folder) throws {
        guard getuid() == 0 else {
            wrapper = []
            return
        }
        wrapper = ["setpriv", "--reuid", "\(Unprivileged.nobody)", "--regid", "\(Unprivileged.nobody)", "--clear-groups"]
        // unsafe: the path is lent as a C string for the call.
        guard unsafe chown(folder.path, Unprivileged.nobody, Unprivileged.nobody) == 0 else { throw Failure("cannot chown \(folder.path)") }
    }

    /// Whether that user may run the binary where it lies, with the libraries it needs.
    static let canRunBalancer: Bool = {
        guard let folder = try? Folder(), let user = try? Unprivileged(folder) else { return false }
        return (try? Command.run(user.wrapper + [Command.binary, "--version"], in: folder))?.code == 0
    }()
}
