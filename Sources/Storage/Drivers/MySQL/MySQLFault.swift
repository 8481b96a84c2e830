#if MySQL
/// A failure as the library or the server tells it, before it is known what to do about it.
struct MySQLFault: Error {
    /// An error number of the server (1000 to 1999, 3000 and more) or of the library (2000 to 2999).
    let code: UInt32
    let message: String
    /// Whether the statement had been sent, so that a lost answer leaves open whether it was stored.
    let wasSent: Bool

    /// There is no connection any more: the server went away, was stopped, or closed it.
    var losesSession: Bool {
        switch code {
        // CR_SERVER_GONE_ERROR, CR_SERVER_LOST, CR_COMMANDS_OUT_OF_SYNC, CR_MALFORMED_PACKET, CR_SERVER_LOST_EXTENDED
        case 2006, 2013, 2014, 2027, 2055: true
        // ER_SERVER_SHUTDOWN, ER_NET_… (packets), ER_CONNECTION_KILLED, ER_CLIENT_INTERACTION_TIMEOUT
        case 1053, 1158...1161, 1927, 4031: true
        default: false
        }
    }

    /// Nothing was stored, and the same statement may well succeed now (on another node, for 1047).
    var wasRolledBack: Bool {
        code == MySQLFault.deadlock || code == MySQLFault.lockTimeout || code == MySQLFault.notReady
            || code == MySQLFault.rolledBackByPlugin
    }

    /// The server refuses every change, and may have lost that right to another one: nothing was stored, and nothing will be here.
    var isReadOnly: Bool {
        switch code {
        // ER_OPTION_PREVENTS_STATEMENT is also told of other options.
        case 1290: message.contains("read-only") || message.contains("read_only")
        // ER_OPEN_AS_READONLY, ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION, ER_READ_ONLY_MODE, ER_INNODB_READ_ONLY
        case 1036, 1792, 1836, 1874: true
        // ER_RUN_HOOK_ERROR, ER_BEFORE_DML_VALIDATION_ERROR: a member that group replication has expelled
        case 3098, 3100: true
        // What a Galera proxy or Aurora says
        case 1105: message.contains("READ-ONLY")
        default: false
        }
    }

    var leavesDoubt: Bool { wasSent && losesSession }

    static let lockTimeout: UInt32 = 1205
    /// Also what Galera answers the loser of two writes.
    static let deadlock: UInt32 = 1213
    /// ER_TRANSACTION_ROLLBACK_DURING_COMMIT: what group replication answers the loser of two writes.
    static let rolledBackByPlugin: UInt32 = 3101
    /// A node of Galera that is not in the part with the majority, or is joining.
    static let notReady: UInt32 = 1047
    static let duplicate: UInt32 = 1062
    /// CR_SSL_CONNECTION_ERROR
    static let tlsFailed: UInt32 = 2026
}
#endif
