#if MySQL
import CMariaDB

/// What a statement gave.
struct MySQLAnswer: Sendable {
    let rows: [[SQLValue]]
    let matched: Int
}

/// One prepared statement, run once.
@safe struct MySQLStatement: ~Copyable {
    /// unsafe: owned by this value alone; it ends before the session whose it is.
    private let handle: UnsafeMutablePointer<MYSQL_STMT>

    private init(_ handle: UnsafeMutablePointer<MYSQL_STMT>) { unsafe self.handle = unsafe handle }

    /// - Parameter session: outlives this value.
    static func prepare(_ sql: String, on session: UnsafeMutablePointer<MYSQL>) throws(MySQLFault) -> MySQLStatement {
        guard let handle = unsafe mysql_stmt_init(session) else {
            throw unsafe MySQLFault(code: mysql_errno(session), message: String(cString: mysql_error(session)), wasSent: false)
        }
        let statement = unsafe MySQLStatement(handle)
        // unsafe: the text is lent as a C string for the call.
        if unsafe mysql_stmt_prepare(handle, sql, UInt(sql.utf8.count)) != 0 { throw statement.fault(wasSent: false) }
        return statement
    }

    deinit { unsafe mysql_stmt_close(handle) }

    func run(_ arguments: [SQLValue]) throws(MySQLFault) -> MySQLAnswer {
        let expected = Int(unsafe mysql_stmt_param_count(handle))
        guard expected == arguments.count else {
            throw MySQLFault(code: 2031, message: "\(arguments.count) arguments for \(expected) places", wasSent: false)
        }
        let values = MySQLArguments(arguments)
        // unsafe: the library copies the array and keeps pointers into `values`, which lives until the statement ran.
        if expected > 0, unsafe mysql_stmt_bind_param(handle, values.binds.baseAddress) != 0 { throw fault(wasSent: false) }
        var isLengthWanted: my_bool = 1
        unsafe mysql_stmt_attr_set(handle, STMT_ATTR_UPDATE_MAX_LENGTH, &isLengthWanted)
        guard unsafe mysql_stmt_execute(handle) == 0 else { throw fault(wasSent: true) }
        extendLifetime(values)
        guard unsafe mysql_stmt_field_count(handle) > 0 else {
            return MySQLAnswer(rows: [], matched: Int(clamping: unsafe mysql_stmt_affected_rows(handle)))
        }
        // The whole result comes over at once: no other statement can run before its end.
        guard unsafe mysql_stmt_store_result(handle) == 0 else { throw fault(wasSent: true) }
        let rows = try fetch()
        return MySQLAnswer(rows: rows, matched: rows.count)
    }

    private func fetch() throws(MySQLFault) -> [[SQLValue]] {
        guard let description = unsafe mysql_stmt_result_metadata(handle) else { throw fault(wasSent: true) }
        defer { unsafe mysql_free_result(description) }
        let columns = unsafe MySQLColumns(mysql_fetch_fields(description), count: Int(mysql_stmt_field_count(handle)))
        // unsafe: the library copies the array and writes through its pointers into `columns`, which lives until the last row.
        guard unsafe mysql_stmt_bind_result(handle, columns.binds.baseAddress) == 0 else { throw fault(wasSent: true) }
        var rows: [[SQLValue]] = []
        while true {
            let outcome = unsafe mysql_stmt_fetch(handle)
            switch outcome {
            case 0, MYSQL_DATA_TRUNCATED: rows.append(columns.row)
            case MYSQL_NO_DATA: return rows
            default: throw fault(wasSent: true)
            }
        }
    }

    private borrowing func fault(wasSent: Bool) -> MySQLFault {
        // unsafe: the library's text is copied at once.
        unsafe MySQLFault(code: mysql_stmt_errno(handle), message: String(cString: mysql_stmt_error(handle)), wasSent: wasSent)
    }
}
#endif
