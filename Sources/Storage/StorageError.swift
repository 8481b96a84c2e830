/// A failure of the database or of a file beside it. Its description is one log line that says where, what, and what to do.
public struct StorageError: Error, Sendable, Equatable, CustomStringConvertible {
    public let kind: Kind
    /// The database's or file's path. Never holds a password.
    public let place: String
    /// What exactly was seen, in one line: the statement's or system call's own words.
    public let detail: String

    public enum Kind: Sendable, Equatable {
        /// Somebody else wrote first; `current` is the newest revision, 0 when there is none.
        case conflict(current: Int)
        /// Another connection or process held the lock for longer than the busy timeout.
        case locked
        /// The disk, a quota or the database's own page limit is reached.
        case full
        case readOnly
        /// The file cannot be opened or made.
        case cannotOpen
        /// The file that was open is no longer at its path.
        case missing
        /// The database contradicts itself.
        case corrupt
        case notADatabase
        /// A stored revision fails its checksum or is no valid catalog.
        case unreadableRevision(Int)
        /// The tables are not there yet.
        case unprepared
        /// The database was migrated by a newer program.
        case newer(found: Int, known: Int)
        /// A migration step was recorded with another text than this program has for it.
        case alteredStep(Int)
        /// Another process is migrating and did not finish in time.
        case migrating
        /// The lease that allows to migrate went to another process.
        case leaseLost
        /// A row with this key exists already.
        case duplicate
        /// The request cannot be stored as it is: a text too long, a number out of range.
        case refused
        /// A database URL that cannot be read.
        case badURL
        /// A database that this program has no driver for.
        case unsupported
        /// No server of the address answers, or none takes another connection.
        case unreachable
        /// The server went away in the middle of a question; nothing was to be stored.
        case connectionLost
        /// The server went away before it said whether a change was stored, and did not come back in time.
        case inDoubt
        /// TLS failed: the server has none, or its certificate is not the right one.
        case notTrusted
        /// The server does not know the user or refuses the password.
        case denied
        /// The user lacks a privilege.
        case notGranted
        /// The server has no database of this name.
        case noDatabase
        /// A node outside the cluster's majority.
        case notInCluster
        /// Others held the locks for too long.
        case serverBusy
        case serverReadOnly
        /// The server's disk, or its tables' space, is used up.
        case serverFull
        case serverCorrupt
        /// A table or the server cannot hold UTF-8.
        case wrongCharacterSet
        /// A table is not as the migrations made it.
        case alteredTable
        /// Reading, writing or syncing failed below the database.
        case io
        /// The database has tables but no catalog, though this balancer knows one.
        case emptied
        /// The database has another id than the one this balancer's catalog is from, and was not declared its successor.
        case otherDatabase
        /// This process is stopping and asks nothing any more.
        case stopping
        /// None of the above; `detail` has all that is known.
        case other
    }

    public init(_ kind: Kind, at place: String, _ detail: String) {
        self.kind = kind
        self.place = StorageError.oneLine(place)
        self.detail = StorageError.oneLine(detail)
    }

    public var description: String {
        [place, summary, detail].filter { !$0.isEmpty }.joined(separator: ": ") + (advice.isEmpty ? "" : "; " + advice)
    }

    /// A log line must stay one line, whatever a file name or a damaged database holds.
    private static func oneLine(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
    }
}

extension StorageError {
    /// What happened, in a few words.
    public var summary: String {
        switch kind {
        case .conflict(let current): "the catalog was changed meanwhile, the newest revision is \(current)"
        case .locked: "is locked"
        case .full: "no space left"
        case .readOnly: "is read-only"
        case .cannotOpen: "cannot be opened"
        case .missing: "the file is gone"
        case .corrupt: "is damaged"
        case .notADatabase: "is not a SQLite database"
        case .unreadableRevision(let id): "revision \(id) cannot be read"
        case .unprepared: "has no tables yet"
        case .newer(let found, let known):
            "is newer than this program: it is at migration step \(found), the program knows steps up to \(known)"
        case .alteredStep(let id): "migration step \(id) was recorded with another text than this program has"
        case .migrating: "another process is migrating it"
        case .leaseLost: "another process took over the migration"
        case .duplicate: "a row with this key exists"
        case .refused: "cannot be stored"
        case .badURL: "cannot be used"
        case .unsupported: "is recognised, but this program has no driver for it"
        case .unreachable: "the server cannot be reached"
        case .connectionLost: "the connection was lost"
        case .inDoubt: "it is not known whether the change was stored"
        case .notTrusted: "the encrypted connection failed"
        case .denied: "the server refuses this user or password"
        case .notGranted: "the user may not do this"
        case .noDatabase: "the server has no such database, or the user may not see it"
        case .notInCluster: "the node is not part of a working cluster"
        case .serverBusy: "others held the same rows for too long"
        case .serverReadOnly: "the server is read-only"
        case .serverFull: "no space left on the server"
        case .serverCorrupt: "a table is damaged"
        case .wrongCharacterSet: "the server or a table cannot hold this text in its character set"
        case .alteredTable: "a table is not as this program made it"
        case .io: "input/output failed"
        case .emptied: "holds no catalog any more"
        case .otherDatabase: "is another database than the one that this balancer's catalog comes from"
        case .stopping: "was not asked"
        case .other: "failed"
        }
    }

    /// What a person can do about it; empty when nothing fits.
    public var advice: String {
        switch kind {
        case .conflict: "read the newest revision and make the change again"
        case .locked: "find who holds it (fuser, or an open sqlite3 shell) or try again"
        case .full: "free space on this file system; nothing was stored, and redirects go on with the last catalog"
        case .readOnly: "check the mount, the owner and the mode of the file and of its folder (SQLite also writes -wal and -shm beside it)"
        case .cannotOpen: "check that the folder exists and that this user may read and write in it"
        case .missing: "put the file back or restart with the right path; nothing is written to a file that has no name any more"
        case .corrupt: "stop the balancer, keep a copy of the file with its -wal, and restore a backup or run the sqlite3 shell's .recover"
        case .notADatabase: "check the path; to start anew move the file away"
        case .unreadableRevision:
            "if a newer version of this program wrote it, upgrade this balancer; else restore an earlier revision or a backup; the running catalog stays in use"
        case .unprepared: "run: video-balancer migrate up"
        case .newer: "upgrade this program, or run the newer program's: video-balancer migrate down"
        case .alteredStep:
            "somebody edited the record or the program is not an official build; restore a backup or use the program that migrated it"
        case .migrating: "wait for it; the lease of a killed process ends by itself"
        case .leaseLost: "start again: what was begun is finished then"
        case .badURL: "write sqlite:PATH, or mysql://USER:PASSWORD@HOST:PORT/NAME"
        case .unsupported: "use sqlite:PATH, or a program built with it"
        case .unreachable: "check that the server runs, and host, port and firewall"
        case .connectionLost: "the server was stopped or the network failed; it is tried again"
        case .inDoubt: "read the newest revision before the change is made again"
        case .notTrusted: "check the server's TLS settings, tls and tls-ca in the URL, and the host's name in the certificate"
        case .denied: "check user and password, and from which hosts the user may come"
        case .notGranted:
            "let an administrator run: GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX ON the database's tables TO the user"
        case .noDatabase: "let an administrator run CREATE DATABASE and GRANT, or mend the name"
        case .notInCluster: "check wsrep_cluster_status on the nodes; redirects go on with the last catalog"
        case .serverBusy: "try again; look for long transactions with SHOW PROCESSLIST"
        case .serverReadOnly: "give the address of the writable server, or turn read_only off there"
        case .serverFull: "free space where the server keeps its data; nothing was stored, and redirects go on with the last catalog"
        case .serverCorrupt: "run CHECK TABLE on the server, and restore a backup"
        case .wrongCharacterSet: "run on the server: ALTER TABLE the table CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
        case .alteredTable: "undo the alteration (compare SHOW CREATE TABLE with a fresh database's), or restore a backup"
        case .io: "check the disk and the kernel log"
        case .emptied, .otherDatabase:
            "restore a backup, or say which is right: video-balancer database adopt (the database) or video-balancer database refill (this balancer)"
        case .stopping: "ask another balancer"
        case .duplicate, .refused, .other: ""
        }
    }
}
