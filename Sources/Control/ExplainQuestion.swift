import HTTPTypes
public import Steering

/// What `POST /api/v1/explain` asks: a request that might come.
public struct ExplainQuestion: Sendable {
    public let video: String
    public let avoid: String?
    /// Whether the request would come by HTTPS.
    public let isByHTTPS: Bool
    public let client: ClientAddress
    public let headers: [(name: String, value: String)]

    static let keys = ["video", "avoid", "https", "client", "headers"]

    /// - Throws: all faults at once.
    init(_ body: Document) throws {
        guard case .object(let members) = body else {
            throw Problem(.unprocessableContent, "The body must be an object with video.", faults: [Fault("", "must be an object")])
        }
        var faults: [Fault] = []
        for member in members where !ExplainQuestion.keys.contains(member.key) {
            let known = ExplainQuestion.keys.joined(separator: ", ")
            faults.append(Fault("/\(Fault.escaped(member.key))", "is not a known key; known here: \(known)"))
        }
        if case .string(let text)? = body["video"], text.utf8.count <= 8192 {
            video = text
        } else {
            video = ""
            faults.append(Fault("/video", "must be a video's URL of at most 8192 bytes"))
        }
        switch body["avoid"] {
        case .string(let name): avoid = name
        case nil: avoid = nil
        default:
            avoid = nil
            faults.append(Fault("/avoid", "must be the name of a CDN"))
        }
        switch body["https"] {
        case .bool(let flag): isByHTTPS = flag
        case nil: isByHTTPS = false
        default:
            isByHTTPS = false
            faults.append(Fault("/https", "must be true or false"))
        }
        switch body["client"] {
        case .string(let text): client = ClientAddress(text) ?? .unknown
        default: client = .unknown
        }
        if let given = body["client"], client == .unknown, given != .string("::") {
            faults.append(Fault("/client", "must be an IPv4 or IPv6 address"))
        }
        headers = ExplainQuestion.headers(body["headers"], &faults)
        guard faults.isEmpty else {
            throw Problem(
                .unprocessableContent, "The question has \(faults.count == 1 ? "a fault" : "\(faults.count) faults").", faults: faults)
        }
    }

    private static func headers(_ document: Document?, _ faults: inout [Fault]) -> [(name: String, value: String)] {
        guard let document else { return [] }
        guard case .object(let members) = document, members.count <= 100 else {
            faults.append(Fault("/headers", "must be an object of at most 100 fields"))
            return []
        }
        return members.compactMap { member in
            if case .string(let value) = member.value, let header = Explanation.header(member.key, value) { return header }
            faults.append(Fault("/headers/\(Fault.escaped(member.key))", "must be a field's name and a text without line ends"))
            return nil
        }
    }
}
