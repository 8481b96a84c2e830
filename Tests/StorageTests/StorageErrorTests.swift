import Glibc
import Testing

@testable import Storage

@Suite struct StorageErrorTests {
    @Test func `a description says where, what, the cause and what to do`() {
        #expect(
            StorageError(.locked, at: "/b.db", "database is locked (SQLite code 5)").description
                == "/b.db: is locked: database is locked (SQLite code 5); find who holds it (fuser, or an open sqlite3 shell) or try again")
    }

    @Test func `a description is one line whatever it tells of`() {
        let error = StorageError(.other, at: "/a\nb", "c\r\nd\u{1b}[31m\u{85}")
        #expect(error.description == "/a b: failed: c  d [31m ")
    }

    @Test(arguments: [
        (ENOSPC, StorageError.Kind.full), (EDQUOT, .full), (EROFS, .readOnly), (EACCES, .cannotOpen), (ENOENT, .missing), (EIO, .io),
        (EAGAIN, .locked),
    ])
    func `system errors are sorted by what is to be done`(_ code: CInt, _ kind: StorageError.Kind) {
        let error = StorageError(errno: code, at: "/x", "write")
        #expect(error.kind == kind)
        #expect(error.detail.hasSuffix("(errno \(code))"))
    }
}
