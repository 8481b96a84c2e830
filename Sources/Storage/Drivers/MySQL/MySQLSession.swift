#if MySQL
import CMariaDB

/// One open connection to one server. Used by one thread; every call on it may block.
@safe final class MySQLSession {
    let host: MySQLAddress.Host
    /// Whether the server refused changes when the session was made. A user with the privilege may make them all the same.
    private(set) var isReadOnly = false
    /// unsafe: owned by this object alone, made in `open` and closed in `deinit`.
    private let handle: UnsafeMutablePointer<MYSQL>

    private init(host: MySQLAddress.Host, handle: UnsafeMutablePointer<MYSQL>) {
        self.host = host
        unsafe self.handle = unsafe handle
    }

    deinit { unsafe mysql_close(handle) }

    /// Connects, and brings the session into the one state that the statements are written for.
    static func open(_ host: MySQLAddress.Host, _ address: MySQLAddress, _ limits: MySQLLimits) throws(MySQLFault) -> MySQLSession {
        // unsafe, all of it: C strings and integers are lent for each call; the library copies them. nil asks it to allocate.
        guard isLibraryReady, let handle = unsafe mysql_init(nil) else {
            throw MySQLFault(code: 2008, message: "out of memory", wasSent: false)
        }
        unsafe setOptions(handle, address, limits)
        let connected = unsafe mysql_real_connect(
            handle, host.name, address.user, address.currentPassword(), address.name, UInt32(host.port), nil, UInt(CLIENT_FOUND_ROWS))
        guard unsafe connected != nil else {
            let fault = unsafe MySQLFault(
                code: mysql_errno(handle), message: String(cString: mysql_error(handle)), wasSent: false)
            unsafe mysql_close(handle)
            throw fault
        }
        let session = unsafe MySQLSession(host: host, handle: handle)
        // With a server that has no TLS the library goes on in plain text, whatever it was told, unless it also verifies the host.
        if address.tls != .disabled, unsafe mysql_get_ssl_cipher(handle) == nil {
            throw MySQLFault(code: MySQLFault.tlsFailed, message: "the server does not offer TLS", wasSent: false)
        }
        try session.prepare()
        try session.checkCluster()
        return session
    }

    /// Runs one prepared statement.
    func run(_ sql: String, _ arguments: [SQLValue]) throws(MySQLFault) -> MySQLAnswer {
        try unsafe MySQLStatement.prepare(sql, on: handle).run(arguments)
    }

    /// Runs statements and commits them together. After a fault the session must be given up.
    func transaction(_ statements: [SQLStatement]) throws(MySQLFault) {
        _ = try run("SET autocommit = 0", [])
        for statement in statements { _ = try run(statement.text, statement.arguments) }
        _ = try run("COMMIT", [])
        _ = try run("SET autocommit = 1", [])
    }

    private static let isLibraryReady = mysql_server_init(0, nil, nil) == 0

    /// Brings the session into the one state that the statements are written for, whatever the server's own defaults are.
    private func prepare() throws(MySQLFault) {
        for statement in MySQLDefaults.first { _ = try run(statement, []) }
        let rows = try run(MySQLDefaults.question, []).rows
        var known: [String: String] = [:]
        for row in rows where row.count == 2 {
            if case (.text(let name), .text(let value)) = (row[0], row[1]) { known[name.lowercased()] = value }
        }
        for statement in MySQLDefaults.statements(known) { _ = try run(statement, []) }
        isReadOnly = MySQLDefaults.isReadOnly(known)
    }

    /// A node outside the majority takes connections and must not be written to. On a ready one each statement first waits for
    /// what other nodes have committed, so that an edit made through one balancer is seen through the next.
    private func checkCluster() throws(MySQLFault) {
        let rows = try run("SHOW GLOBAL STATUS WHERE Variable_name IN ('wsrep_provider_name', 'wsrep_ready')", []).rows
        // Without Galera there is no provider: an empty name, or no such line.
        guard rows.contains(where: { $0.first == .text("wsrep_provider_name") && $0.last != .text("") }) else { return }
        guard rows.contains([.text("wsrep_ready"), .text("ON")]) else {
            throw MySQLFault(
                code: MySQLFault.notReady, message: "this node of the cluster is not ready: wsrep_ready is not ON", wasSent: false)
        }
        _ = try run("SET SESSION wsrep_sync_wait = 7", [])
    }

    private static func setOptions(_ handle: UnsafeMutablePointer<MYSQL>, _ address: MySQLAddress, _ limits: MySQLLimits) {
        // unsafe, all of it: each value is lent for the call, in the C type that the option is documented to have.
        func set(_ option: mysql_option, _ number: UInt32) {
            _ = unsafe withUnsafePointer(to: number) { unsafe mysql_options(handle, option, $0) }
        }
        func set(_ option: mysql_option, _ flag: Bool) {
            let value: my_bool = flag ? 1 : 0
            _ = unsafe withUnsafePointer(to: value) { unsafe mysql_options(handle, option, $0) }
        }
        func set(_ option: mysql_option, _ text: String) { _ = unsafe text.withCString { unsafe mysql_options(handle, option, $0) } }
        set(MYSQL_OPT_CONNECT_TIMEOUT, limits.connectSeconds)
        set(MYSQL_OPT_READ_TIMEOUT, limits.readSeconds)
        set(MYSQL_OPT_WRITE_TIMEOUT, limits.writeSeconds)
        set(MYSQL_SET_CHARSET_NAME, "utf8mb4")
        // "localhost" would otherwise mean a Unix socket.
        set(MYSQL_OPT_PROTOCOL, MYSQL_PROTOCOL_TCP.rawValue)
        set(MYSQL_OPT_RECONNECT, false)
        // A server in the middle must not be able to ask for our files, nor for the password in plain text.
        set(MYSQL_OPT_LOCAL_INFILE, 0)
        set(MARIADB_OPT_RESTRICTED_AUTH, "mysql_native_password,caching_sha2_password,sha256_password,client_ed25519")
        guard address.tls != .disabled else { return }
        set(MYSQL_OPT_SSL_ENFORCE, true)
        if address.tls == .verifyCA || address.tls == .verifyIdentity { set(MYSQL_OPT_SSL_CA, address.authorities) }
        if address.tls == .verifyIdentity { set(MYSQL_OPT_SSL_VERIFY_SERVER_CERT, true) }
    }
}
#endif
