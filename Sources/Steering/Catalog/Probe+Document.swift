/// The probe in a catalog's document.
extension Probe {
    private enum Kind: String, CaseIterable { case http, tcp }

    private static let httpKeys = ["method", "path", "expect", "host", "headers", "playlist"]

    /// Reads the member `probe` of an object; nil when there is none.
    static func read(_ parent: DocumentReader.Object, _ reader: inout DocumentReader) -> Probe? {
        guard let document = parent.members["probe"] else { return nil }
        let object = reader.object(
            document, at: parent.pointer(to: "probe"), keys: ["type", "interval", "timeout", "rise", "fall", "addresses"] + httpKeys)
        guard case .object = document else { return nil }
        let check: Check
        switch reader.choice(object, "type", default: Kind.http) {
        case .http: check = .http(HTTP.read(object, &reader))
        case .tcp:
            check = .tcp
            for key in httpKeys where object.members[key] != nil {
                reader.note(object.pointer(to: key), "belongs to the type \"http\"; a \"tcp\" probe only connects")
            }
        }
        return Probe(
            check: check,
            interval: reader.integer(object, "interval", in: 1...3600, default: 5),
            timeout: reader.integer(object, "timeout", in: 1...60, default: 2),
            rise: reader.integer(object, "rise", in: 1...64, default: 2),
            fall: reader.integer(object, "fall", in: 1...64, default: 3),
            addresses: reader.choice(object, "addresses", default: Addresses.any))
    }

    var document: Document {
        var members: [Document.Member] = []
        switch check {
        case .tcp: members.append(.init("type", .string(Kind.tcp.rawValue)))
        case .http(let http):
            members.append(.init("type", .string(Kind.http.rawValue)))
            members.append(.init("method", .string(http.method.rawValue)))
            members.append(.init("path", .string(http.path)))
            members.append(.init("expect", .array(http.expect.map(Document.integer))))
            if let host = http.host { members.append(.init("host", .string(host))) }
            if !http.headers.isEmpty {
                members.append(.init("headers", .object(http.headers.map { .init($0.name, .string($0.value)) })))
            }
            if let playlist = http.playlist { members.append(.init("playlist", .string(playlist.rawValue))) }
        }
        members += [
            .init("interval", .integer(interval)), .init("timeout", .integer(timeout)), .init("rise", .integer(rise)),
            .init("fall", .integer(fall)),
        ]
        // Left out when it is the default: stored catalogs keep their checksum.
        if addresses != .any { members.append(.init("addresses", .string(addresses.rawValue))) }
        return .object(members)
    }
}

extension Probe.HTTP {
    fileprivate static func read(_ object: DocumentReader.Object, _ reader: inout DocumentReader) -> Probe.HTTP {
        let method = reader.choice(object, "method", default: Probe.Method.get)
        var playlist: Probe.Playlist?
        if object.members["playlist"] != nil {
            playlist = reader.choice(object, "playlist", default: Probe.Playlist.any)
            if method == .head { reader.note(object.pointer(to: "playlist"), "needs the method \"GET\": the answer to HEAD has no body") }
        }
        return Probe.HTTP(
            method: method, path: readPath(object, &reader), expect: readExpect(object, &reader), host: readHost(object, &reader),
            headers: readHeaders(object, &reader), playlist: playlist)
    }

    private static func readPath(_ object: DocumentReader.Object, _ reader: inout DocumentReader) -> String {
        let hint = "a path such as \"/healthz\""
        guard let path = reader.string(object, "path", hint: hint) else { return "/" }
        let isVisible = path.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") }
        guard path.hasPrefix("/"), !path.hasPrefix("//"), isVisible, path.utf8.count <= 1024 else {
            reader.note(
                object.pointer(to: "path"),
                "must be \(hint), with one slash at its beginning and of at most 1024 visible ASCII characters: a probe goes to the target "
                    + "itself and nowhere else; is \(Document.string(path).kind)")
            return "/"
        }
        return path
    }

    private static func readExpect(_ object: DocumentReader.Object, _ reader: inout DocumentReader) -> [Int] {
        guard object.members["expect"] != nil else { return [200] }
        return reader.list(object, "expect", count: 1...32, of: "statuses").compactMap { pointer, value in
            if case .integer(let status) = value, (100...599).contains(status) { return status }
            reader.note(pointer, "must be a status from 100 to 599, is \(value.kind)")
            return nil
        }
    }

    private static func readHost(_ object: DocumentReader.Object, _ reader: inout DocumentReader) -> String? {
        guard object.members["host"] != nil else { return nil }
        let hint = "a host name such as \"video.example.com\""
        guard let text = reader.string(object, "host", hint: hint) else { return nil }
        guard let host = HostPort.normalised(text) else {
            reader.note(object.pointer(to: "host"), "must be \(hint), is \(Document.string(text).kind)")
            return nil
        }
        return host
    }

    /// Fields that the probe itself writes, or that would change what its answer means.
    private static let reserved = ["host", "connection", "content-length", "transfer-encoding", "expect", "upgrade", "te", "trailer"]

    private static func readHeaders(_ object: DocumentReader.Object, _ reader: inout DocumentReader) -> [Probe.Header] {
        guard let document = object.members["headers"] else { return [] }
        let pointer = object.pointer(to: "headers")
        guard case .object(let members) = document, members.count <= 16 else {
            reader.note(pointer, "must be an object of at most 16 fields, is \(document.kind)")
            return []
        }
        return members.compactMap { member in
            let pointer = pointer + "/" + Fault.escaped(member.key)
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
}
