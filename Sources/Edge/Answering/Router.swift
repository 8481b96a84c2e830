import Steering

/// The methods that a resource takes.
struct Methods: OptionSet {
    let rawValue: UInt8

    static let get = Methods(rawValue: 1)
    static let head = Methods(rawValue: 2)
    static let post = Methods(rawValue: 4)
    static let options = Methods(rawValue: 8)

    /// What may be read, and asked about.
    static let reading: Methods = [.get, .head, .options]

    /// The value of `Allow`.
    var allow: String {
        let names: [(Methods, String)] = [(.get, "GET"), (.head, "HEAD"), (.post, "POST"), (.options, "OPTIONS")]
        return names.filter { contains($0.0) }.map(\.1).joined(separator: ", ")
    }

    func contains(_ method: RequestHead.Method) -> Bool {
        switch method {
        case .get: contains(Methods.get)
        case .head: contains(Methods.head)
        case .post: contains(Methods.post)
        case .options: contains(Methods.options)
        default: false
        }
    }
}

/// The table of paths: what each is, which methods it takes, and whether the fast path may answer it. A path that is not in it names a video.
struct Router {
    struct Route: Equatable {
        let resource: Resource
        let methods: Methods
        /// Whether a plain request for it is answered where it is accepted: the answer is small and waits for nobody.
        let isFast: Bool
    }

    enum Resource: Equatable {
        /// A redirect to the video that the query names.
        case redirect
        /// The same; the body may name the video too.
        case redirectByBody
        /// A redirect to the video that the path names.
        case video
        /// Content steering for the video that the rest of the path names; the same as `video` where the catalog does not steer.
        case steering(SteeringFormat)
        /// A link of a session, or its manifest; the same as `video` where the catalog serves no manifests.
        case session
        case livez, readyz
        /// A page of the documentation, by its index.
        case page(Int)
        /// What an upstream has to send first.
        case upstream
    }

    private static let root = Route(resource: .redirect, methods: .reading, isFast: true)
    private static let video = Route(resource: .video, methods: .reading, isFast: true)

    private static let session = Route(resource: .session, methods: .reading, isFast: true)

    private var routes: [(path: Range<Int>, route: Route)] = []
    /// All paths, one after the other.
    private var paths: [UInt8] = []
    /// A bit for each length that a path has, the last for all longer ones: most requests name a video, and are told by it.
    private var lengths: UInt64 = 0

    /// - Parameter pages: documentation, in the order of its indexes.
    init(pages: [EdgePage] = []) {
        for path in ["/origin", "/origin/"] {
            add(path, Route(resource: .redirectByBody, methods: [.get, .head, .post, .options], isFast: true))
        }
        // HAProxy's short `option httpchk` asks with OPTIONS.
        add("/livez", Route(resource: .livez, methods: .reading, isFast: true))
        add("/readyz", Route(resource: .readyz, methods: .reading, isFast: true))
        for (index, page) in pages.enumerated() {
            add(page.path, Route(resource: .page(index), methods: [.get, .head], isFast: false))
        }
    }

    /// - Parameter path: to the letter, without a query. The first of two equal ones is found.
    mutating func add(_ path: String, _ route: Route) {
        routes.append((paths.count..<paths.count + path.utf8.count, route))
        paths += path.utf8
        lengths |= Router.bit(path.utf8.count)
    }

    private static func bit(_ length: Int) -> UInt64 { 1 << UInt64(min(length, 63)) }

    /// - Parameter question: where the target's `?` stands, or its end.
    func route(of head: RequestHead, _ bytes: borrowing Span<UInt8>, to question: Int) -> Route {
        let path = head.target.range.lowerBound..<question
        // `*` and CONNECT's authority name no path; they are about the server, which is its root.
        if path.isEmpty || bytes.equals("/", in: path) || head.form == .asterisk || head.form == .authority { return Router.root }
        if bytes.begins(with: "/steering/", in: path), let format = SteeringFormat(bytes, path: path) {
            return Route(resource: .steering(format), methods: .reading, isFast: true)
        }
        if bytes.begins(with: "/session/", in: path) { return Router.session }
        if lengths & Router.bit(path.count) == 0 { return Router.video }
        for index in routes.indices where isEqual(routes[index].path, bytes, HeadRange(path)) { return routes[index].route }
        return Router.video
    }

    /// - Parameter name: in `paths`.
    private func isEqual(_ name: Range<Int>, _ bytes: borrowing Span<UInt8>, _ path: HeadRange) -> Bool {
        guard name.count == path.range.count else { return false }
        let offset = path.range.lowerBound - name.lowerBound
        for index in name where paths[index] != bytes[index + offset] { return false }
        return true
    }
}

extension SteeringFormat {
    var contentType: String {
        switch self {
        case .hls: "application/vnd.apple.steering-list"
        case .dash: "application/json"
        }
    }
}
