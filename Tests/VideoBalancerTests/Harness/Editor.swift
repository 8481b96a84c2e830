import Foundation

/// An operator at one balancer's API: reads the catalog, and changes N with the tag that was read.
final class Editor: @unchecked Sendable {
    static let token = String(repeating: "t", count: 40)

    enum Outcome: Equatable {
        case accepted(revision: Int)
        /// Somebody else was first.
        case stale
        /// The database failed, or the balancer did not answer: it may or may not be stored.
        case failed(String)
    }

    private let port: UInt16
    private var connection: HTTPConnection?
    private var tag: String?

    init(_ balancer: Balancer) { port = balancer.adminPort }

    init(port: UInt16) { self.port = port }

    /// Sets N, with a comment that tells this edit from all others.
    func edit(every: Int, comment: String) -> Outcome {
        do {
            if tag == nil {
                let read = try ask("GET", "/api/v1/catalog", [], "")
                guard read.status == 200, let found = read["ETag"] else { return .failed("\(read.status) \(read.text)") }
                tag = found
            }
            let answer = try ask(
                "PATCH", "/api/v1/origin?comment=\(comment)", ["If-Match: \(tag ?? "")", "Content-Type: application/merge-patch+json"],
                "{\"every\":\(every)}")
            tag = answer.status == 200 ? answer["ETag"] : nil
            switch answer.status {
            case 200:
                let number = tag?.dropFirst().prefix { $0 != "-" } ?? ""
                return .accepted(revision: Int(number) ?? 0)
            case 412: return .stale
            default: return .failed("\(answer.status) \(answer.text)")
            }
        } catch {
            connection = nil
            tag = nil
            return .failed("\(error)")
        }
    }

    /// Author, comment and id of all revisions, by `GET revisions` in pages; newest first.
    func history() throws -> [(id: Int, comment: String)] {
        var all: [(id: Int, comment: String)] = []
        var before = ""
        while true {
            let answer = try ask("GET", "/api/v1/revisions?limit=100\(before)", [], "")
            guard answer.status == 200, let object = try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any],
                let page = object["revisions"] as? [[String: Any]]
            else { throw Failure("no page of revisions: \(answer.status) \(answer.text)") }
            all += page.map { ($0["id"] as? Int ?? 0, $0["comment"] as? String ?? "") }
            guard let last = page.last?["id"] as? Int, last > 1 else { return all }
            before = "&before=\(last)"
        }
    }

    private func ask(_ method: String, _ target: String, _ fields: [String], _ body: String) throws -> Answer {
        let connection = try self.connection ?? HTTPConnection("127.0.0.1", port, seconds: 40)
        self.connection = nil
        let fields = ["Authorization: Bearer \(Editor.token)", "Content-Length: \(body.utf8.count)"] + fields
        let head = "\(method) \(target) HTTP/1.1\r\nHost: admin\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n"
        try connection.send(head + body)
        let answer = try connection.answer()
        if !answer.closes { self.connection = connection }
        return answer
    }
}
