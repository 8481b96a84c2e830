/// The probe in a catalog's document.
extension Probe {
    static let section = Section(
        Probe(),
        [
            Key("type", \.kind, .choice),
            Key("method", \.http.method, .choice, foreign: \.isNoHTTP),
            Key("path", \.http.path, HTTP.pathForm, .required, foreign: \.isNoHTTP),
            Key("expect", \.http.expect, .list(1...32, of: "statuses", HTTP.status), foreign: \.isNoHTTP),
            Key("host", \.http.host, HTTP.hostForm.optional, .hidden, foreign: \.isNoHTTP),
            Key("headers", \.http.headers, HTTP.headersForm, .hidden, foreign: \.isNoHTTP),
            Key("playlist", \.http.playlist, Form<Playlist>.choice.optional, .hidden) {
                $0.isNoHTTP ?? ($0.http.method == .head ? "needs the method \"GET\": the answer to HEAD has no body" : nil)
            },
            Key("interval", \.interval, .integer(1...3600)),
            Key("timeout", \.timeout, .integer(1...60)),
            Key("rise", \.rise, .integer(1...64)),
            Key("fall", \.fall, .integer(1...64)),
            Key("addresses", \.addresses, .choice, .hidden),
        ])

    fileprivate enum Kind: String, CaseIterable { case http, tcp }

    private var isNoHTTP: String? { kind == .http ? nil : "belongs to the type \"http\"; a \"tcp\" probe only connects" }

    private var kind: Kind {
        get { check == .tcp ? .tcp : .http }
        set { check = newValue == .tcp ? .tcp : .http(HTTP()) }
    }

    private var http: HTTP {
        get { if case .http(let http) = check { http } else { HTTP() } }
        set { check = .http(newValue) }
    }
}

extension Probe.HTTP {
    fileprivate static let pathForm = Form<String>.text(
        "a path such as \"/healthz\"",
        rule:
            "a path such as \"/healthz\", with one slash at its beginning and of at most 1024 visible ASCII characters: a probe goes to the "
            + "target itself and nowhere else"
    ) { path in
        let isVisible = path.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") }
        return path.hasPrefix("/") && !path.hasPrefix("//") && isVisible && path.utf8.count <= 1024 ? path : nil
    } write: {
        $0
    }

    fileprivate static let status = Form<Int>.integer(100...599, hint: "a status from 100 to 599")

    fileprivate static let hostForm = Form<String>.text(
        "a host name such as \"video.example.com\"", parse: { HostPort.normalised($0) }, write: { $0 })

    /// Fields that the probe itself writes, or that would change what its answer means.
    private static let reserved = ["host", "connection", "content-length", "transfer-encoding", "expect", "upgrade", "te", "trailer"]

    fileprivate static let headersForm = Form<[Probe.Header]>.map(0...16, hint: "an object of at most 16 fields") {
        .init($0.name, .string($0.value))
    } read: { member, pointer, reader in
        let isToken =
            (1...64).contains(member.key.utf8.count) && member.key.utf8.allSatisfy { $0 == 0x2D || URLByte.isAlphanumeric($0) }
        guard isToken, !reserved.contains(URLByte.lowercased(member.key)) else {
            reader.note(
                pointer,
                "is no field that a probe may carry: letters, digits and hyphens, and none of \(reserved.joined(separator: ", "))")
            return nil
        }
        guard case .string(let value) = member.value, value.utf8.count <= 1024, value.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
        else {
            reader.note(pointer, "must be a text of at most 1024 visible ASCII characters and spaces")
            return nil
        }
        return Probe.Header(name: member.key, value: value)
    }
}
