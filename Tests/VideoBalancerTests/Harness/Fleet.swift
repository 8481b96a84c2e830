import Foundation

/// Several balancers on one database.
struct Fleet {
    static let token = String(repeating: "fleet-token-", count: 4)

    let folder: Folder
    let balancers: [Balancer]

    init(_ count: Int = 3, in folder: Folder) throws {
        self.folder = folder
        // One after the other: of the first start there is one.
        balancers = try (1...count).map { try Fleet.start($0, in: folder) }
    }

    /// A member that keeps its state, hence its id and its numbers, over starts.
    static func start(_ number: Int, in folder: Folder) throws -> Balancer {
        try Balancer(
            in: folder, environment: ["CDN_HOST": "cdn.example.com", "BALANCER_ADMIN_TOKEN": token], "--state",
            folder.path("state-\(number)"), "--node-name", "edge-\(number)")
    }

    func end() { for balancer in balancers { balancer.end() } }
}

extension Balancer {
    /// One call of the API with a token.
    func api(
        _ method: String, _ path: String, _ body: String? = nil, fields: [String] = [], token: String = Fleet.token
    ) throws -> Answer {
        let connection = try HTTPConnection("127.0.0.1", adminPort)
        var lines =
            ["\(method) /api/v1/\(path) HTTP/1.1", "Host: balancer", "Connection: close", "Authorization: Bearer \(token)"] + fields
        if let body { lines += ["Content-Type: application/json", "Content-Length: \(body.utf8.count)"] }
        try connection.send(lines.joined(separator: "\r\n") + "\r\n\r\n" + (body ?? ""))
        return try connection.answer(to: method)
    }

    /// Changes N, whatever it was.
    func setEvery(_ every: Int) throws {
        let tag = try api("GET", "catalog")["ETag"] ?? ""
        let answer = try api("PATCH", "origin", #"{"every":\#(every)}"#, fields: ["If-Match: \(tag)"])
        guard answer.status == 200 else { throw Failure("the change was refused: \(answer.text)") }
    }

    /// The members of the fleet as this one's status shows them: state by name.
    func fleet() throws -> [String: String] {
        let status = try JSONSerialization.jsonObject(with: Data(try api("GET", "status").body)) as? [String: Any]
        let members = status?["fleet"] as? [[String: Any]] ?? []
        return members.reduce(into: [:]) { $0[$1["name"] as? String ?? ""] = $1["state"] as? String }
    }
}
