import GRDB
import HTTPTypes
import Steering
import Storage
import Synchronization
import Testing

@testable import Control

@Suite struct CatalogEndpointsTests {
    private let plane: ControlPlane

    init() async throws {
        plane = try await ControlPlane()
        _ = try await plane.node.store.append(Catalog(catalog(every: 1)), expecting: 0, author: "ann", comment: "")
    }

    private func catalog(every: Int, cdns: Int = 2) throws -> Document {
        .object([
            .init("version", .integer(1)),
            .init(
                "origin",
                .object([
                    .init("domains", .array([.string("o")])), .init("servers", .array([.string("s1")])), .init("every", .integer(every)),
                ])),
            .init(
                "cdns",
                .array((0..<cdns).map { .object([.init("name", .string("c\($0)")), .init("url", .string("http://c\($0).example.com"))]) })),
        ])
    }

    /// What a person with sqlite3 does.
    private func run(_ sql: String) throws { try DatabaseQueue(path: plane.path).write { try $0.execute(sql: sql) } }

    private func tag() async throws -> String {
        let head = try #require(try await plane.node.store.head())
        return EntityTag.of(head.revision, head.checksum)
    }

    // Regression: lists read and compared every catalog in them.
    @Test func `a list of revisions reads no catalog`() async throws {
        for every in 2...5 {
            let put = try await plane.ask(.put, "/api/v1/catalog?comment=\(every)", catalog(every: every), ifMatch: tag())
            #expect(put.status == 200)
        }
        plane.node.reads.withLock { $0 = 0 }
        let list = try await plane.ask(.get, "/api/v1/revisions?limit=3")
        #expect(plane.node.reads.withLock { $0 } == 0)
        guard case .array(let revisions)? = list.body["revisions"] else { return #expect(Bool(false)) }
        #expect(revisions.map { $0["comment"] } == [.string("5"), .string("4"), .string("3")] && list.body["next"] == .integer(3))
        #expect(
            revisions.map { $0["changes"] }
                == (2...4).reversed().map { every in
                    .array([
                        .object([
                            .init("from", .integer(every)), .init("pointer", .string("/origin/every")), .init("to", .integer(every + 1)),
                        ])
                    ])
                })
        #expect(revisions.map { $0["changeCount"] } == [.integer(1), .integer(1), .integer(1)])
    }

    @Test func `changes of revisions that others stored are found out once`() async throws {
        for every in 2...3 {
            _ = try await plane.node.store.append(Catalog(catalog(every: every)), expecting: every - 1, author: "old", comment: "")
        }
        plane.node.reads.withLock { $0 = 0 }
        for _ in 0..<2 {
            let list = try await plane.ask(.get, "/api/v1/revisions")
            guard case .array(let revisions)? = list.body["revisions"] else { return #expect(Bool(false)) }
            #expect(revisions.map { $0["changeCount"] } == [.integer(1), .integer(1), .integer(0)])
        }
        #expect(plane.node.reads.withLock { $0 } == 3)
        let one = try await plane.ask(.get, "/api/v1/revisions/2")
        #expect(one.body["changeCount"] == .integer(1) && one.body["catalog"]?["origin"]?["every"] == .integer(2))
    }

    @Test func `the newest catalog is read once for all who ask`() async throws {
        for path in ["/api/v1/catalog", "/api/v1/cdns", "/api/v1/cdns/c1", "/api/v1/rules", "/api/v1/catalog"] {
            #expect(try await plane.ask(.get, path).status == 200)
        }
        #expect(plane.node.reads.withLock { $0 } == 1)
        // An edit of this node is not read back; another's is.
        #expect(try await plane.ask(.put, "/api/v1/catalog", catalog(every: 2), ifMatch: tag()).status == 200)
        #expect(try await plane.ask(.get, "/api/v1/origin").body["every"] == .integer(2))
        #expect(plane.node.reads.withLock { $0 } == 1)
        _ = try await plane.node.store.append(Catalog(catalog(every: 3)), expecting: 2, author: "other node", comment: "")
        #expect(try await plane.ask(.get, "/api/v1/origin").body["every"] == .integer(3))
        #expect(plane.node.reads.withLock { $0 } == 2)
    }

    // Regression: who was told to restore an older revision got 503 for it, since the newest was read first.
    @Test func `a damaged newest revision is told of, and replaced by a restore or a catalog`() async throws {
        #expect(try await plane.ask(.put, "/api/v1/catalog", catalog(every: 2), ifMatch: tag()).status == 200)
        _ = try await plane.node.store.append(Catalog(catalog(every: 3)), expecting: 2, author: "ann", comment: "")
        try run("UPDATE balancer_revisions SET catalog = 'x' WHERE id = 3")
        let damaged = try await plane.ask(.get, "/api/v1/catalog")
        #expect(damaged.status == 503)
        let tag = try #require(damaged.tag)
        guard case .string(let detail)? = damaged.body["detail"] else { return #expect(Bool(false)) }
        #expect(detail.contains("/restore") && detail.contains("If-Match"))
        // A change of a part needs the whole.
        #expect(try await plane.ask(.put, "/api/v1/redirect", .object([.init("status", .integer(302))]), ifMatch: tag).status == 503)
        #expect(try await plane.ask(.post, "/api/v1/revisions/2/restore").status == 428)
        #expect(try await plane.ask(.post, "/api/v1/revisions/2/restore", ifMatch: "\"2-00000000\"").status == 412)
        #expect(try await plane.ask(.post, "/api/v1/revisions/2/restore", ifMatch: tag).status == 200)
        #expect(try await plane.ask(.get, "/api/v1/origin").body["every"] == .integer(2))

        try run("UPDATE balancer_revisions SET catalog = 'x' WHERE id = 4")
        let list = try await plane.ask(.get, "/api/v1/revisions")
        #expect(list.status == 200)
        let plane2 = try await plane.ask(.put, "/api/v1/catalog", catalog(every: 7), ifMatch: self.tag())
        #expect(plane2.status == 200 && plane2.tag?.hasPrefix("\"5-") == true)
    }

    // Regression: the dry run passed what the write refused.
    @Test func `a dry run refuses the comment that the write refuses`() async throws {
        for comment in [String(repeating: "x", count: 501), "a%00b"] {
            let dry = try await plane.ask(.put, "/api/v1/catalog?validate=true&comment=\(comment)", catalog(every: 2))
            let write = try await plane.ask(.put, "/api/v1/catalog?comment=\(comment)", catalog(every: 2), ifMatch: tag())
            #expect(dry.status == 400 && dry.body == write.body)
        }
        let good = try await plane.ask(.put, "/api/v1/catalog?validate=true&comment=fine", catalog(every: 2))
        #expect(good.status == 200 && good.body["changeCount"] == .integer(1))
    }

    @Test func `a time zone that is not known is refused where it is new, and holds up no edit where it is stored`() async throws {
        func ruled(_ zone: String, every: Int = 2) throws -> Document {
            let hours = Document.object([.init("timeZone", .string(zone))])
            let rule = Document.object([
                .init("name", .string("r")), .init("when", .object([.init("hours", hours)])), .init("every", .integer(1)),
            ])
            return try catalog(every: every).replacing("rules", with: .array([rule]))
        }
        for dry in [true, false] {
            let path = "/api/v1/catalog" + (dry ? "?validate=true" : "")
            let refused = try await plane.ask(.put, path, ruled("Europe/Berln"), ifMatch: tag())
            guard refused.status == 422, case .array(let errors)? = refused.body["errors"] else { return #expect(refused.status == 422) }
            #expect(errors.map { $0["pointer"] } == [.string("/rules/0/when/hours/timeZone")])
        }
        let good = try await plane.ask(.put, "/api/v1/catalog", ruled("Europe/Berlin"), ifMatch: tag())
        guard good.status == 200, case .array(let rules)? = good.body["rules"] else { return #expect(good.status == 200) }
        #expect(rules.map { $0["when"]?["hours"]?["timeZone"] } == [.string("Europe/Berlin")])

        // A newer version has stored it.
        _ = try await plane.node.store.append(Catalog(ruled("Europe/Newtown")), expecting: 2, author: "newer", comment: "")
        let origin = Document.object([.init("every", .integer(7))])
        #expect(try await plane.ask(.patch, "/api/v1/origin", origin, ifMatch: tag()).status == 200)
        #expect(try await plane.ask(.put, "/api/v1/catalog", catalog(every: 3), ifMatch: tag()).status == 200)
        #expect(try await plane.ask(.put, "/api/v1/catalog", ruled("Europe/Newtown"), ifMatch: tag()).status == 422)
        // Regression: the dashboard's preview of a restore was refused where the restore itself is not.
        let preview = try await plane.ask(.post, "/api/v1/revisions/4/restore?validate=true")
        #expect(preview.status == 200 && preview.body["valid"] == .bool(true) && preview.body["changeCount"] != .integer(0))
        #expect(try await preview.tag == tag())
        #expect(try await plane.ask(.post, "/api/v1/revisions/4/restore", ifMatch: tag()).status == 200)
        #expect(try await plane.ask(.get, "/api/v1/origin").body["every"] == .integer(7))
    }

    // Regression: `validat=true`, and `validate=true` where there is no dry run, wrote.
    @Test(arguments: [
        "/api/v1/catalog?validat=true", "/api/v1/catalog?dry-run=1", "/api/v1/catalog?validate=false&validate=true",
        "/api/v1/catalog?validate=true&validate=false", "/api/v1/catalog?Validate=true", "/api/v1/catalog?comment=a&comment=b",
        "/api/v1/redirect?validate=true", "/api/v1/redirect?comment=a&x",
    ])
    func `who mistypes a parameter has written nothing`(path: String) async throws {
        let body = path.contains("redirect") ? Document.object([.init("status", .integer(302))]) : try catalog(every: 2)
        let refused = try await plane.ask(.put, path, body, ifMatch: tag())
        #expect(refused.status == 400)
        #expect(try await plane.ask(.post, "/api/v1/revisions/1/restore?validat=true", ifMatch: tag()).status == 400)
        #expect(try await plane.node.store.head()?.revision == 1)
    }

    // Regression: the dry run passed a tag that the write refused.
    @Test func `a dry run that sends a tag is told when the catalog has changed since`() async throws {
        let old = try await tag()
        #expect(try await plane.ask(.put, "/api/v1/catalog?comment=2", catalog(every: 2), ifMatch: old).status == 200)
        for path in ["/api/v1/catalog?validate=true", "/api/v1/catalog"] {
            let answer = try await plane.ask(.put, path, catalog(every: 3), ifMatch: old)
            #expect(answer.status == 412)
            #expect(try await answer.tag == tag())
        }
        #expect(try await plane.ask(.put, "/api/v1/catalog?validate=true", catalog(every: 3), ifMatch: tag()).status == 200)
        #expect(try await plane.ask(.put, "/api/v1/catalog?validate=true", catalog(every: 3)).status == 200)
    }

    @Test func `a catalog may be as long as an import's`() async throws {
        let spaces = String(repeating: " ", count: 2 << 20)
        let large = try catalog(every: 2).replacing("selection", with: .object([.init("strategy", .string(spaces))]))
        // It is read, and then refused for what it says.
        #expect(try await plane.ask(.put, "/api/v1/catalog", large, ifMatch: tag()).status == 422)
        #expect(try await plane.ask(.post, "/api/v1/cdns", large, ifMatch: tag()).status == 413)
    }

    @Test func `RFC 3339 times may be written in lower case`() async throws {
        for time in ["2026-11-23T18:00:00Z", "2026-11-23t18:00:00z", "2026-11-23t18:00:00.5z"] {
            #expect(Call.time(time) == 1_795_456_800)
        }
        #expect(try await plane.ask(.get, "/api/v1/traffic?to=2026-11-23t18:00:00z").status == 200)
        #expect(try await plane.ask(.get, "/api/v1/traffic?to=yesterday").status == 400)
    }
}
