/// From a document to a catalog, with every fault named.
extension Catalog {
    /// Reads and checks a whole catalog. Absent keys take their defaults; unknown keys are faults.
    ///
    /// - Parameter knowsZone: whether there is a time zone of this name. What is stored is read without asking, since a newer version of the
    ///   program may have stored it.
    /// - Throws: all faults at once, each with its JSON pointer and what would be accepted.
    public init(_ document: Document, knowsZone: @escaping (String) -> Bool = { _ in true }) throws(CatalogFaults) {
        var reader = DocumentReader(knowsZone: knowsZone)
        try Catalog.refuseNewer(document)
        let root = reader.object(document, at: "", keys: ["version", "origin", "cdns", "selection", "redirect", "failover", "rules"])
        guard case .object = document else { throw CatalogFaults(reader.faults) }
        _ = reader.integer(root, "version", in: Catalog.version...Catalog.version)
        origin = Catalog.readOrigin(root, &reader)
        cdns = Catalog.readCDNs(root, &reader)
        selection = Selection.read(root, &reader) ?? .weighted
        redirect = Catalog.readRedirect(root, &reader)
        failover = Catalog.readFailover(root, &reader)
        rules = Rule.readAll(root, cdns: cdns, origin: origin, &reader)
        let areTargetsKnown = !reader.faults.contains { $0.pointer.hasPrefix("/cdns") || $0.pointer.hasPrefix("/origin") }
        if areTargetsKnown, origin.every == 0, !cdns.contains(where: \.takesTraffic) {
            reader.note("/cdns", "no CDN takes traffic (enabled, weight over 0) and /origin/every is 0: every request would be refused")
        }
        guard reader.faults.isEmpty else { throw CatalogFaults(reader.faults) }
    }

    /// What a newer form means is unknown, so nothing else is said about it.
    private static func refuseNewer(_ document: Document) throws(CatalogFaults) {
        guard case .integer(let number)? = document["version"], number > version else { return }
        throw CatalogFaults([
            Fault("/version", "is \(number), but this program knows catalogs up to version \(version): upgrade the program first")
        ])
    }

    private static func readOrigin(_ root: DocumentReader.Object, _ reader: inout DocumentReader) -> Origin {
        if root.members["origin"] == nil { reader.note("/origin", "is missing; give an object with domains and servers") }
        let object = reader.object(
            root.members["origin"], at: "/origin", keys: ["domains", "servers", "scheme", "keepScheme", "every", "scope", "probe"])
        // Without an object there is one fault, not one for each key that it lacks.
        var known = false
        if case .object? = root.members["origin"] { known = true }
        let domains = known ? readDomains(object, &reader) : []
        let (servers, labels) = known ? readServers(object, &reader) : ([], [])
        return Origin(
            domains: domains, servers: servers, labels: labels,
            scheme: reader.choice(object, "scheme", default: .http),
            keepsScheme: reader.bool(object, "keepScheme", default: false),
            every: reader.integer(object, "every", in: 0...1_000_000_000, default: 10),
            scope: reader.choice(object, "scope", default: .all),
            probe: Probe.read(object, &reader))
    }

    private static func readDomains(_ object: DocumentReader.Object, _ reader: inout DocumentReader) -> [String] {
        let hint = "a host name such as \"origin-cluster\" or \"origin.example.com:8080\""
        var domains: [String] = []
        for (pointer, value) in reader.list(object, "domains", count: 1...64, of: "host names") {
            guard case .string(let text) = value, let domain = HostPort.normalised(text), !domain.hasPrefix("[") else {
                reader.note(pointer, "must be \(hint), is \(value.kind)")
                continue
            }
            if domains.contains(domain) { reader.note(pointer, "\"\(domain)\" stands twice; keep one") }
            domains.append(domain)
        }
        return domains
    }

    private static func readServers(_ object: DocumentReader.Object, _ reader: inout DocumentReader) -> ([String], [String]) {
        var patterns: [String] = []
        var labels: [String] = []
        var seen: Set<String> = []
        for (pointer, value) in reader.list(object, "servers", count: 1...1000, of: "server labels") {
            // Expanding what will be refused anyway would cost memory and time.
            if labels.count > ServerPattern.maximumLabels { break }
            guard case .string(let text) = value, let expanded = ServerPattern.labels(of: text) else {
                reader.note(pointer, "must be a label such as \"s1\" or a range such as \"s[1-99]\", is \(value.kind)")
                continue
            }
            if let twice = expanded.first(where: { seen.contains($0) }) {
                reader.note(pointer, "names server \"\(twice)\" a second time; keep one")
            }
            seen.formUnion(expanded)
            patterns.append(URLByte.lowercased(text))
            labels += expanded
        }
        if labels.count > ServerPattern.maximumLabels {
            reader.note("/origin/servers", "stands for more than the \(ServerPattern.maximumLabels) servers that are accepted")
        }
        return (patterns, labels)
    }

    private static func readCDNs(_ root: DocumentReader.Object, _ reader: inout DocumentReader) -> [CDN] {
        if root.members["cdns"] == nil { reader.note("/cdns", "is missing; give a list of CDNs, or [] for none") }
        var cdns: [CDN] = []
        var taken: Set<String> = []
        for (pointer, value) in reader.list(root, "cdns", count: 0...1000, of: "CDNs") {
            let object = reader.object(value, at: pointer, keys: ["name", "url", "weight", "enabled", "probe", "maxPerSecond"])
            let weight = reader.integer(object, "weight", in: 0...1000, default: 100)
            let enabled = reader.bool(object, "enabled", default: true)
            let probe = Probe.read(object, &reader)
            let cap = reader.optionalInteger(object, "maxPerSecond", in: 1...1_000_000_000)
            guard case .object = value else { continue }
            let name = readName(object, taken: &taken, &reader)
            let hint = "a URL such as \"http://cdn.example.com\""
            let text = reader.string(object, "url", hint: hint)
            let url = text.flatMap { BaseURL($0) }
            if let text, url == nil {
                let form = "http or https, host, optional port and path; no user, query or dot segment"
                reader.note(object.pointer(to: "url"), "must be \(hint) (\(form)), is \(Document.string(text).kind)")
            }
            if let name, let url {
                cdns.append(CDN(name: name, url: url, weight: weight, enabled: enabled, probe: probe, maxPerSecond: cap))
            }
        }
        return cdns
    }

    private static func readName(_ object: DocumentReader.Object, taken: inout Set<String>, _ reader: inout DocumentReader) -> String? {
        guard let name = reader.string(object, "name", hint: "a name such as \"cdn-a\"") else { return nil }
        let pointer = object.pointer(to: "name")
        guard (1...64).contains(name.utf8.count), name.utf8.allSatisfy(URLByte.isNameByte) else {
            reader.note(pointer, "must be 1 to 64 letters, digits, dots, hyphens or underscores, is \"\(name)\"")
            return nil
        }
        if name.lowercased() == "origin" { reader.note(pointer, "\"origin\" means the origin itself; choose another name") }
        if !taken.insert(name.lowercased()).inserted {
            reader.note(pointer, "\"\(name)\" stands twice (letter case apart); each CDN needs a name of its own")
        }
        return name
    }

    private static func readRedirect(_ root: DocumentReader.Object, _ reader: inout DocumentReader) -> Redirect {
        let object = reader.object(root.members["redirect"], at: "/redirect", keys: ["status", "links", "passParameters"])
        return Redirect(
            status: reader.redirectStatus(object) ?? 301,
            links: reader.bool(object, "links", default: false),
            passParameters: readPassParameters(object, &reader))
    }

    private static func readPassParameters(_ object: DocumentReader.Object, _ reader: inout DocumentReader) -> [String] {
        var names: [String] = []
        for (pointer, value) in reader.list(object, "passParameters", count: 0...32, of: "names such as \"CMCD\"") {
            guard case .string(let name) = value, (1...64).contains(name.utf8.count), name.utf8.allSatisfy(URLByte.isNameByte) else {
                reader.note(
                    pointer, "must be a name such as \"CMCD\" (1 to 64 letters, digits, dots, hyphens or underscores), is \(value.kind)")
                continue
            }
            if Query.names.contains(name) {
                reader.note(pointer, "\"\(name)\" is read by the balancer itself and means nothing to the target; remove it")
            }
            if names.contains(name) { reader.note(pointer, "\"\(name)\" stands twice; keep one") }
            names.append(name)
        }
        return names
    }

    private static func readFailover(_ root: DocumentReader.Object, _ reader: inout DocumentReader) -> Failover {
        let object = reader.object(root.members["failover"], at: "/failover", keys: ["panicThreshold", "originLimit"])
        return Failover(
            panicThreshold: reader.fraction(object, "panicThreshold", default: 0.5),
            originLimit: reader.optionalInteger(object, "originLimit", in: 1...1_000_000_000))
    }
}
