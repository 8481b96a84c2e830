import HTTPTypes
import Storage

/// The strong validator of a catalog revision (RFC 9110 §8.8.3): its number and the beginning of its checksum, because a restored
/// database may give another catalog the same number.
enum EntityTag {
    static func of(_ id: Int, _ checksum: String) -> String { "\"\(id)-\(checksum.prefix(8))\"" }

    /// Refuses a write that was made from another revision.
    ///
    /// - Throws: 428 without `If-Match`, 412 with the current tag when it does not match. `*` would let two operators overwrite each
    ///   other, so it matches nothing.
    static func check(_ field: String?, against current: Head) throws(Problem) {
        let tag = of(current.revision, current.checksum)
        guard let field else {
            throw Problem(
                .preconditionRequired, "Send If-Match with the ETag of the catalog you have read, so that nobody's change is overwritten.",
                headers: [(.eTag, tag)])
        }
        let tags = field.split(separator: ",").map { $0.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed() }.map { String($0) }
        if !tags.contains(tag) { throw stale(current) }
    }

    static func stale(_ current: Head) -> Problem {
        Problem(
            .preconditionFailed,
            "The catalog has changed since you read it: revision \(current.revision) is the newest. Read it and try again.",
            headers: [(.eTag, of(current.revision, current.checksum))])
    }
}
