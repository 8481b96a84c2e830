import GRDB

extension StorageError {
    /// Sorts an SQLite result code (<https://www.sqlite.org/rescode.html>) into the kinds that call for different action.
    init(sqlite error: any Error, at place: String) {
        switch error {
        case let error as StorageError:
            self = error
        case let error as DatabaseError:
            let statement = error.sql.map { ", in: \($0)" } ?? ""
            let words = error.message ?? "no message"
            self.init(StorageError.kind(of: error), at: place, "\(words) (SQLite code \(error.extendedResultCode.rawValue)\(statement))")
        default:
            self.init(.other, at: place, "\(error)")
        }
    }

    private static func kind(of error: DatabaseError) -> Kind {
        if error.extendedResultCode == .SQLITE_CONSTRAINT_PRIMARYKEY || error.extendedResultCode == .SQLITE_CONSTRAINT_UNIQUE {
            return .duplicate
        }
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_PROTOCOL: return .locked
        case .SQLITE_FULL: return .full
        case .SQLITE_READONLY, .SQLITE_PERM: return .readOnly
        case .SQLITE_CANTOPEN: return .cannotOpen
        case .SQLITE_CORRUPT: return .corrupt
        case .SQLITE_NOTADB: return .notADatabase
        case .SQLITE_IOERR: return .io
        // SQLite has no code of its own for this.
        case .SQLITE_ERROR where error.message?.hasPrefix("no such table: \(Migrations.tablePrefix)") == true: return .unprepared
        default: return .other
        }
    }
}
