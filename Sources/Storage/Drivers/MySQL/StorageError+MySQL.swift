#if MySQL
extension StorageError {
    /// Sorts an error number (<https://mariadb.com/kb/en/mariadb-error-code-reference/>) into the kinds that call for different action.
    init(_ fault: MySQLFault, at place: String) {
        self.init(StorageError.kind(of: fault), at: place, "\(fault.message) (error \(fault.code))")
    }

    private static func kind(of fault: MySQLFault) -> Kind {
        if fault.losesSession { return .connectionLost }
        if fault.isReadOnly { return .serverReadOnly }
        switch fault.code {
        case MySQLFault.duplicate: return .duplicate
        case MySQLFault.lockTimeout, MySQLFault.deadlock, MySQLFault.rolledBackByPlugin: return .serverBusy
        // ER_STATEMENT_TIMEOUT, ER_QUERY_TIMEOUT
        case 1969, 3024: return .serverBusy
        case MySQLFault.notReady: return .notInCluster
        // Unknown host, no connection, too many connections or users' limits, host blocked
        case 2002, 2003, 2005, 1040, 1129, 1130, 1203, 1226: return .unreachable
        case 2026, 2012: return .notTrusted
        // Wrong user or password, an authentication plugin this program does not allow
        case 1045, 1251, 1698, 2059, 2061, 1275, 1820, 1862, 4151: return .denied
        case 1044, 1142, 1143, 1227, 1370: return .notGranted
        case 1049: return .noDatabase
        case 1021, 1026, 1114: return .serverFull
        // A failed write of a file, with the error number ENOSPC.
        case 3 where fault.message.contains("28"), 1030 where fault.message.contains("28"): return .serverFull
        case 1115, 1253, 1266, 1267, 1271, 1300, 1366, 2019: return .wrongCharacterSet
        // No such table, column or default; a value that the column does not take
        case 1146, 1932: return .unprepared
        case 1054, 1136, 1264, 1265, 1364, 1406, 1292: return .alteredTable
        case 1034, 1035, 1194, 1195, 1712: return .serverCorrupt
        case 1153, 2020: return .refused
        default: return .other
        }
    }
}
#endif
