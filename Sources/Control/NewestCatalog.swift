import HTTPTypes
import HummingbirdCore
import NIOCore
import Steering
import Storage
import Synchronization

/// The newest catalog as the API shows it, read and written as JSON once for each revision, not once for each request. Any thread.
final class NewestCatalog: Sendable {
    private let store: any RevisionHistory
    private let kept = Mutex<Shown?>(nil)

    init(store: any RevisionHistory) { self.store = store }

    /// One revision with what is asked of it over and over.
    final class Shown: Sendable {
        let revision: Revision
        let document: Document
        /// JSON of the whole ("") and of parts that were asked for; there are as many as a catalog has members.
        private let texts = Mutex<[String: ByteBuffer]>([:])

        init(_ revision: Revision, _ document: Document? = nil) {
            self.revision = revision
            self.document = document ?? revision.catalog.document
        }

        var tag: String { EntityTag.of(revision.id, revision.checksum) }

        func part(_ name: String) -> Document { name.isEmpty ? document : document[name] ?? .null }

        /// Computes at the first time.
        func text(_ name: String) -> ByteBuffer {
            if let text = texts.withLock({ $0[name] }) { return text }
            let text = ByteBuffer(string: part(name).prettyJSON)
            texts.withLock { $0[name] = text }
            return text
        }
    }

    /// - Throws: 503 when there is no revision.
    func head() async throws -> Head {
        guard let head = try await store.head() else {
            throw Problem(.serviceUnavailable, "The database holds no catalog.", headers: [(.retryAfter, "5")])
        }
        return head
    }

    /// - Throws: 503 when there is none or when it is damaged, then with the tag by which it can be replaced.
    func shown(_ call: Call) async throws -> Shown {
        let head = try await head()
        if let known = known(head.revision, head.checksum) { return known }
        do {
            guard let stored = try await store.newest() else { return try await shown(call) }
            return try await call.compute { [self] in
                // Who waited before may have read the same.
                if let known = known(stored.summary.id, stored.summary.checksum) { return known }
                let shown = Shown(try stored.read())
                keep(shown)
                return shown
            }
        } catch let error as StorageError {
            guard case .unreadableRevision = error.kind else { throw error }
            throw Problem(
                .serviceUnavailable,
                """
                \(error). Replace it: POST /api/v1/revisions/ID/restore with an older revision, or PUT /api/v1/catalog, with this answer's \
                ETag in If-Match.
                """, headers: [(.eTag, EntityTag.of(head.revision, head.checksum)), (.retryAfter, "5")])
        }
    }

    func keep(_ shown: Shown) { kept.withLock { $0 = shown } }

    private func known(_ id: Int, _ checksum: String) -> Shown? {
        kept.withLock { $0.flatMap { $0.revision.id == id && $0.revision.checksum == checksum ? $0 : nil } }
    }
}
