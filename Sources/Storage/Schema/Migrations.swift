/// Every step of the schema, oldest first. Append only: the checksums of released steps are recorded in every database.
enum Migrations {
    /// So that the balancer can share a MySQL database with others.
    static let tablePrefix = "balancer_"

    static let all: [Migration] = [
        Migration(
            id: 1, name: "make the table of the database's identity",
            up: "CREATE TABLE IF NOT EXISTS balancer_identity (id INTEGER NOT NULL PRIMARY KEY, value CHAR(32) NOT NULL){options}",
            down: "DROP TABLE IF EXISTS balancer_identity",
            loses: "the database's identity: every node will take the next one for another database"),
        Migration(
            id: 2, name: "give the database a random identity",
            up: """
                INSERT INTO balancer_identity (id, value) SELECT 1, ? \
                FROM (SELECT COUNT(*) AS known FROM balancer_identity WHERE id = 1) AS state WHERE state.known = 0
                """,
            argument: .randomID,
            // Back over this step alone nothing is lost: the identity goes with its table.
            down: "DELETE FROM balancer_identity WHERE id <> 1",
            loses: nil),
        Migration(
            id: 3, name: "make the table of catalog revisions",
            // The catalog stands last: SQLite reads through a long text to reach a column behind it, and the head is polled.
            up: """
                CREATE TABLE IF NOT EXISTS balancer_revisions (id BIGINT NOT NULL PRIMARY KEY, author VARCHAR(255) NOT NULL, \
                comment TEXT NOT NULL, created BIGINT NOT NULL, checksum CHAR(64) NOT NULL, catalog LONGTEXT NOT NULL){options}
                """,
            down: "DROP TABLE IF EXISTS balancer_revisions",
            loses: "every revision of the catalog, the newest included, with who made it and why"),
        Migration(
            id: 4, name: "make the table of API keys",
            up: """
                CREATE TABLE IF NOT EXISTS balancer_keys (name VARCHAR(64) NOT NULL PRIMARY KEY, role VARCHAR(16) NOT NULL, \
                hash CHAR(64) NOT NULL, created BIGINT NOT NULL, expires BIGINT){options}
                """,
            down: "DROP TABLE IF EXISTS balancer_keys",
            loses: "every API key: only tokens set in the environment work then"),
        Migration(
            id: 5, name: "make the table of the fleet's balancers",
            up: """
                CREATE TABLE IF NOT EXISTS balancer_nodes (id CHAR(32) NOT NULL PRIMARY KEY, name VARCHAR(255) NOT NULL, \
                address VARCHAR(255) NOT NULL, version VARCHAR(64) NOT NULL, boot CHAR(32) NOT NULL, started BIGINT NOT NULL, \
                revision BIGINT NOT NULL, checksum CHAR(64) NOT NULL, seen BIGINT NOT NULL){options}
                """,
            down: "DROP TABLE IF EXISTS balancer_nodes",
            // Every running balancer writes itself down again.
            loses: nil),
        Migration(
            id: 6, name: "make the table of traffic",
            up: """
                CREATE TABLE IF NOT EXISTS balancer_traffic (seconds INTEGER NOT NULL, begins BIGINT NOT NULL, node CHAR(32) NOT NULL, \
                boot CHAR(32) NOT NULL, target VARCHAR(8) NOT NULL, cdn VARCHAR(64) NOT NULL, server VARCHAR(64) NOT NULL, \
                status INTEGER NOT NULL, requests BIGINT NOT NULL, \
                PRIMARY KEY (seconds, begins, node, boot, target, cdn, server, status)){options}
                """,
            down: "DROP TABLE IF EXISTS balancer_traffic",
            loses: "the history of traffic"),
        Migration(
            id: 7, name: "make the table of when API keys were last used",
            // Beside the keys, not a column of them: a column cannot be added twice without an error, and a step must be repeatable.
            up: """
                CREATE TABLE IF NOT EXISTS balancer_key_uses (hash CHAR(64) NOT NULL PRIMARY KEY, used BIGINT NOT NULL){options}
                """,
            down: "DROP TABLE IF EXISTS balancer_key_uses",
            loses: "when each API key was last used"),
        Migration(
            id: 8, name: "make the table of what each revision changed",
            // Beside the revisions, as a column cannot be added twice. The checksum ties a row to the revision that it was made for.
            up: """
                CREATE TABLE IF NOT EXISTS balancer_revision_changes (id BIGINT NOT NULL PRIMARY KEY, checksum CHAR(64) NOT NULL, \
                total BIGINT NOT NULL, changes LONGTEXT NOT NULL){options}
                """,
            down: "DROP TABLE IF EXISTS balancer_revision_changes",
            // They are found out anew from the catalogs.
            loses: nil),
    ]

    /// The migrator's own two tables. They stand before the first step and outlast the last, so their form never changes.
    static let record = """
        CREATE TABLE IF NOT EXISTS balancer_migrations (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(255) NOT NULL, \
        checksum CHAR(64) NOT NULL, state VARCHAR(16) NOT NULL, changed BIGINT NOT NULL){options}
        """
    static let lease = """
        CREATE TABLE IF NOT EXISTS balancer_lease (id INTEGER NOT NULL PRIMARY KEY, owner VARCHAR(64) NOT NULL, \
        expires BIGINT NOT NULL){options}
        """
}
