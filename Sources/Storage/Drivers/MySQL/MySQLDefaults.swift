#if MySQL
/// What a server's own defaults must not decide for our sessions, whether they come from its configuration, `SET GLOBAL` or `init_connect`.
///
/// Gone through for this: the session variables of MariaDB 10.11 (<https://mariadb.com/kb/en/server-system-variables/>) and MySQL 8.4
/// (<https://dev.mysql.com/doc/refman/8.4/en/server-system-variables.html>).
enum MySQLDefaults {
    /// Every server has these. They come first: with a hostile `sql_select_limit` even SHOW tells nothing.
    static let first = [
        "SET NAMES utf8mb4 COLLATE utf8mb4_bin",
        """
        SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00', autocommit = 1, completion_type = 0, \
        sql_select_limit = 18446744073709551615, sql_safe_updates = 0, sql_big_selects = 1, innodb_lock_wait_timeout = 3, \
        lock_wait_timeout = 3
        """,
    ]

    /// Set where the server has them.
    private static let settings = [
        // The client's deadline counts.
        "max_statement_time": "0", "max_execution_time": "0", "idle_transaction_timeout": "0", "idle_write_transaction_timeout": "0",
        "idle_readonly_transaction_timeout": "0", "net_read_timeout": "30", "net_write_timeout": "60",
        // What a statement means.
        "sql_auto_is_null": "0", "unique_checks": "1", "foreign_key_checks": "1", "max_sort_length": "1024", "big_tables": "0",
        "low_priority_updates": "0", "sql_if_exists": "0", "div_precision_increment": "4",
        // Faults are told apart by their words where their numbers do not suffice.
        "lc_messages": "'en_US'",
    ]

    private static let asked = settings.keys.sorted() + ["read_only", "innodb_read_only", "log_bin", "binlog_format"]

    static let question = "SHOW SESSION VARIABLES WHERE Variable_name IN (\(asked.map { "'\($0)'" }.joined(separator: ", ")))"

    /// - Parameter known: what the question told.
    static func statements(_ known: [String: String]) -> [String] {
        let values = settings.filter { known[$0.key] != nil }.map { "\($0.key) = \($0.value)" }.sorted()
        // The keys decide between two writers; locks on the gaps between rows would only make them collide more often. InnoDB refuses
        // changes at this level while the log of changes is written as statements (ER_BINLOG_STMT_MODE_AND_ROW_ENGINE).
        let isLoggedAsStatements = known["log_bin"] == "ON" && known["binlog_format"] == "STATEMENT"
        return (values.isEmpty ? [] : ["SET SESSION " + values.joined(separator: ", ")]) + [
            "SET SESSION TRANSACTION ISOLATION LEVEL \(isLoggedAsStatements ? "REPEATABLE READ" : "READ COMMITTED"), READ WRITE"
        ]
    }

    /// MariaDB 12 has other words than ON for it.
    static func isReadOnly(_ known: [String: String]) -> Bool {
        ["read_only", "innodb_read_only"].contains { (known[$0] ?? "OFF") != "OFF" }
    }
}
#endif
