import Control
import Logging
import NIOPosix
import Steering
import Storage
import Synchronization

@testable import Serving

/// Catalogs that differ by the number of their origin's turn.
enum Sample {
    static func catalog(_ every: Int) throws -> Catalog {
        try Catalog(
            .object([
                .init("version", .integer(1)),
                .init(
                    "origin",
                    .object([
                        .init("domains", .array([.string("o")])), .init("servers", .array([.string("s1")])),
                        .init("every", .integer(every)),
                    ])),
                .init("cdns", .array([.object([.init("name", .string("a")), .init("url", .string("http://a.example"))])])),
            ]))
    }

    static let databaseID = String(repeating: "a", count: 32)
    static let otherID = String(repeating: "b", count: 32)

    static func revision(_ id: Int) throws -> Revision {
        Revision(id: id, catalog: try catalog(id), author: "", comment: "", created: 0, checksum: "\(id)")
    }

    static func published(_ id: Int) throws -> Published { Published(try revision(id), databaseID: databaseID) }

    static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    static func access() -> Access { Access(fixed: [], now: { 0 }) }

    static func publisher(
        access: Access = access(), revision: Int = 1, apply: @escaping Publisher.Apply = { _, _ in }
    ) throws -> Publisher {
        publisher(running: try published(revision), access: access, apply: apply)
    }

    static func publisher(
        running published: Published, access: Access = access(), logger: Logger = logger,
        apply: @escaping Publisher.Apply = { _, _ in }
    ) -> Publisher {
        let inputs = Inputs(published: published, geography: Geography())
        return Publisher(
            on: MultiThreadedEventLoopGroup.singleton.next(), inputs: inputs, table: inputs.table(inputs.compiled()), book: SequenceBook(),
            access: access,
            logger: logger, now: { 0 }, apply: apply)
    }
}

extension SQLStore.Patience {
    /// Other tests of the process may keep its threads for long.
    static let endless = SQLStore.Patience(poll: .seconds(3600), call: .seconds(3600))
}

/// Keeps what was logged.
final class Lines: Sendable {
    let all = Mutex<[String]>([])
    var logger: Logger { Logger(label: "test") { _ in Handler(lines: self) } }

    private struct Handler: LogHandler {
        let lines: Lines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) { lines.all.withLock { $0.append("\(event.message)") } }
    }
}
