/// One step of the schema's history: one idempotent statement forth and one back.
///
/// One, because MySQL's DDL commits by itself: a kill between two statements of one step would leave it half done. Idempotent, because
/// a kill between the statement and its record makes the next start run it again. Columns are added in one release and removed in
/// a later one, so that two versions can run side by side on one database.
struct Migration: Sendable {
    /// Counts up from 1 without gaps.
    let id: Int
    let name: String
    /// `{options}` stands for the dialect's table options.
    let up: String
    /// What a `?` in `up` is given.
    var argument: Argument?
    let down: String
    /// What a person loses by going back over this step; nil for nothing.
    let loses: String?

    enum Argument: Sendable { case randomID }

    func text(_ sql: String, for dialect: SQLDialect) -> String {
        sql.split(separator: "{options}", omittingEmptySubsequences: false).joined(separator: dialect.tableOptions)
    }

    /// SHA-256 of everything that runs. A released step never changes; the checksum of each is recorded in the database.
    func checksum(for dialect: SQLDialect) -> String {
        Checksum.sha256(of: "\(id)\n\(text(up, for: dialect))\n\(text(down, for: dialect))\n")
    }
}
