/// Rules in a catalog's document.
extension Rule {
    static let most = 1000
    /// Over all rules.
    static let mostNetworks = 100_000
    /// Of one rule.
    static let mostASNs = 1000

    static func readAll(
        _ root: DocumentReader.Object, cdns: [Catalog.CDN], origin: Catalog.Origin, _ reader: inout DocumentReader
    ) -> [Rule] {
        guard root.members["rules"] != nil else { return [] }
        var rules: [Rule] = []
        var names: Set<String> = []
        var targets = Targets(cdns: cdns, origin: origin)
        for (pointer, value) in reader.list(root, "rules", count: 0...most, of: "rules") {
            let object = reader.object(
                value, at: pointer, keys: ["name", "when", "deny", "cdns", "selection", "every", "status"])
            guard case .object = value else { continue }
            let name = readName(object, taken: &names, &reader)
            let condition = Condition.read(object, &targets, &reader)
            let effect = readEffect(object, targets, &reader)
            if let name { rules.append(Rule(name: name, when: condition, then: effect)) }
        }
        if rules.reduce(0, { $0 + $1.when.clients.count }) > mostNetworks {
            reader.note("/rules", "have more than the \(mostNetworks) client networks that are accepted")
        }
        if rules.reduce(0, { $0 + $1.when.asns.count }) > mostNetworks {
            reader.note("/rules", "have more than the \(mostNetworks) autonomous systems that are accepted")
        }
        return rules
    }

    private static func readName(_ object: DocumentReader.Object, taken: inout Set<String>, _ reader: inout DocumentReader) -> String? {
        guard let name = reader.string(object, "name", hint: "a name such as \"live-to-b\"") else { return nil }
        guard (1...64).contains(name.utf8.count), name.utf8.allSatisfy(URLByte.isNameByte) else {
            reader.note(
                object.pointer(to: "name"), "must be 1 to 64 letters, digits, dots, hyphens or underscores, is \"\(name.prefix(80))\"")
            return nil
        }
        if !taken.insert(name.lowercased()).inserted {
            reader.note(object.pointer(to: "name"), "\"\(name)\" stands twice (letter case apart); each rule needs a name of its own")
        }
        return name
    }

    private static func readEffect(
        _ object: DocumentReader.Object, _ targets: Targets, _ reader: inout DocumentReader
    ) -> Effect {
        let isDenied = reader.bool(object, "deny", default: false)
        let steering = Steering(
            cdns: readShares(object, targets, &reader),
            selection: Catalog.Selection.read(object, &reader),
            every: reader.optionalInteger(object, "every", in: 0...1_000_000_000),
            status: reader.redirectStatus(object))
        if isDenied {
            for key in ["cdns", "selection", "every", "status"] where object.members[key] != nil {
                reader.note(object.pointer(to: key), "has no meaning beside \"deny\": true; remove one of them")
            }
            return .deny
        }
        if !steering.countsForItself, steering.status == nil {
            reader.note(object.pointer, "says nothing to do; give deny, cdns, selection, every or status")
        }
        return .steer(steering)
    }

    private static func readShares(
        _ object: DocumentReader.Object, _ targets: Targets, _ reader: inout DocumentReader
    ) -> [Share]? {
        guard let document = object.members["cdns"] else { return nil }
        let pointer = object.pointer(to: "cdns")
        guard case .object(let members) = document, !members.isEmpty else {
            reader.note(pointer, "must be an object of weights by CDN, such as {\"cdn-a\": 1}, is \(document.kind)")
            return nil
        }
        var weights: [Int: Int] = [:]
        for member in members {
            var place: String { pointer + "/" + Fault.escaped(member.key) }
            guard let cdn = targets.positions[member.key.lowercased()] else {
                reader.note(place, "is no CDN of this catalog; they are \(known(targets.cdns))")
                continue
            }
            guard case .integer(let weight) = member.value, (0...1000).contains(weight) else {
                reader.note(place, "must be a weight from 0 to 1000, is \(member.value.kind)")
                continue
            }
            if weights.updateValue(weight, forKey: cdn) != nil { reader.note(place, "stands twice (letter case apart); keep one") }
        }
        if weights.count == members.count, weights.values.allSatisfy({ $0 == 0 }) {
            reader.note(pointer, "have weights that sum to 0; give one of them more, or remove the rule")
        }
        return weights.sorted { $0.key < $1.key }.map { Share(cdn: targets.cdns[$0.key].name, weight: $0.value) }
    }

    /// What rules may name, looked up quickly: a thousand rules ask for a thousand CDNs each.
    fileprivate struct Targets {
        let cdns: [Catalog.CDN]
        /// Of CDNs, by name in lower case.
        let positions: [String: Int]
        private let labels: Set<String>
        /// By a pattern of servers, whether all that it names exist.
        private var patterns: [String: Bool] = [:]

        init(cdns: [Catalog.CDN], origin: Catalog.Origin) {
            self.cdns = cdns
            positions = Dictionary(cdns.enumerated().map { ($0.element.name.lowercased(), $0.offset) }) { first, _ in first }
            labels = Set(origin.labels)
        }

        mutating func haveServers(_ pattern: String) -> Bool {
            if let known = patterns[pattern] { return known }
            let exist = ServerPattern.labels(of: pattern)?.allSatisfy(labels.contains) ?? false
            patterns[pattern] = exist
            return exist
        }
    }

    private static func known(_ cdns: [Catalog.CDN]) -> String {
        let names = cdns.prefix(8).map { "\"\($0.name)\"" }.joined(separator: ", ")
        return cdns.isEmpty ? "none" : cdns.count > 8 ? "\(names), …" : names
    }

    var document: Document {
        var members: [Document.Member] = [.init("name", .string(name)), .init("when", when.document)]
        switch then {
        case .deny: members.append(.init("deny", .bool(true)))
        case .steer(let steering):
            if let cdns = steering.cdns { members.append(.init("cdns", .object(cdns.map { .init($0.cdn, .integer($0.weight)) }))) }
            if let selection = steering.selection { members.append(.init("selection", selection.document)) }
            if let every = steering.every { members.append(.init("every", .integer(every))) }
            if let status = steering.status { members.append(.init("status", .integer(status))) }
        }
        return .object(members)
    }
}

extension Rule.Condition {
    fileprivate static func read(
        _ rule: DocumentReader.Object, _ targets: inout Rule.Targets, _ reader: inout DocumentReader
    ) -> Rule.Condition {
        let object = reader.object(
            rule.members["when"], at: rule.pointer(to: "when"),
            keys: ["servers", "paths", "clients", "countries", "asns", "headers", "hours"])
        return Rule.Condition(
            servers: readServers(object, &targets, &reader), paths: readPaths(object, &reader), clients: readClients(object, &reader),
            headers: readHeaders(object, &reader), hours: WeeklyHours.read(object, &reader), countries: readCountries(object, &reader),
            asns: readASNs(object, &reader))
    }

    private static func readServers(
        _ object: DocumentReader.Object, _ targets: inout Rule.Targets, _ reader: inout DocumentReader
    ) -> [String] {
        strings(object, "servers", count: 1000, "a label such as \"s1\" or a range such as \"s[1-9]\"", &reader) { text in
            targets.haveServers(text) ? URLByte.lowercased(text) : nil
        } why: {
            "must name servers of /origin/servers, is \($0)"
        }
    }

    private static func readPaths(_ object: DocumentReader.Object, _ reader: inout DocumentReader) -> [String] {
        strings(object, "paths", count: 100, "a path such as \"/live/\" or a pattern such as \"/live/*.m3u8\"", &reader) { text in
            let isVisible = text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") && $0 != UInt8(ascii: "?") }
            let begins = text.hasPrefix("/") || text.hasPrefix("*")
            return begins && isVisible && text.utf8.count <= 256 && text.utf8.count(where: { $0 == 0x2A }) <= 8 ? text : nil
        } why: {
            "must begin with / or *, and have at most 256 visible ASCII characters without ? and #, and at most 8 *; is \($0)"
        }
    }

    private static func readClients(_ object: DocumentReader.Object, _ reader: inout DocumentReader) -> [Network] {
        strings(object, "clients", count: Rule.mostNetworks, "a network such as \"192.0.2.0/24\"", &reader) {
            Network($0)
        } why: {
            "must be a network such as \"192.0.2.0/24\" or \"2001:db8::/32\", with no bit set beyond its prefix, is \($0)"
        }
    }

    private static func readCountries(_ object: DocumentReader.Object, _ reader: inout DocumentReader) -> [CountryCode] {
        strings(object, "countries", count: CountryCode.numbers - 1, "a country such as \"DE\"", &reader) {
            CountryCode($0)
        } why: {
            "must be a country's two capital letters (ISO 3166-1 alpha-2) such as \"DE\", is \($0)"
        }
    }

    private static func readASNs(_ object: DocumentReader.Object, _ reader: inout DocumentReader) -> [UInt32] {
        guard object.members["asns"] != nil else { return [] }
        return reader.list(object, "asns", count: 1...Rule.mostASNs, of: "numbers of autonomous systems such as 64496").compactMap {
            pointer, value in
            if case .integer(let number) = value, let asn = UInt32(exactly: number), asn > 0 { return asn }
            reader.note(pointer, "must be the number of an autonomous system, from 1 to 4294967295, is \(value.kind)")
            return nil
        }
    }

    private static func readHeaders(_ object: DocumentReader.Object, _ reader: inout DocumentReader) -> [Rule.Header] {
        guard let document = object.members["headers"] else { return [] }
        let pointer = object.pointer(to: "headers")
        guard case .object(let members) = document, (1...8).contains(members.count) else {
            reader.note(pointer, "must be an object of 1 to 8 patterns by field, such as {\"User-Agent\": \"*Roku*\"}, is \(document.kind)")
            return []
        }
        return members.compactMap { member in
            guard FieldLines.isName(member.key), case .string(let pattern) = member.value, (1...256).contains(pattern.utf8.count),
                pattern.utf8.allSatisfy({ (0x20...0x7E).contains($0) }), pattern.utf8.count(where: { $0 == 0x2A }) <= 8
            else {
                reader.note(
                    pointer + "/" + Fault.escaped(member.key),
                    "must be a field's name with a pattern of 1 to 256 visible ASCII characters and at most 8 *")
                return nil
            }
            return Rule.Header(name: URLByte.lowercased(member.key), pattern: pattern)
        }
    }

    /// A list of strings, each of which `read` accepts.
    private static func strings<Value>(
        _ object: DocumentReader.Object, _ key: String, count: Int, _ hint: String, _ reader: inout DocumentReader,
        _ read: (String) -> Value?, why: (String) -> String
    ) -> [Value] {
        guard object.members[key] != nil else { return [] }
        return reader.list(object, key, count: 1...count, of: hint).compactMap { pointer, value in
            if case .string(let text) = value, let value = read(text) { return value }
            reader.note(pointer, why(value.kind))
            return nil
        }
    }

    fileprivate var document: Document {
        var members: [Document.Member] = []
        if !servers.isEmpty { members.append(.init("servers", .array(servers.map(Document.string)))) }
        if !paths.isEmpty { members.append(.init("paths", .array(paths.map(Document.string)))) }
        if !clients.isEmpty { members.append(.init("clients", .array(clients.map { .string($0.description) }))) }
        if !countries.isEmpty { members.append(.init("countries", .array(countries.map { .string($0.description) }))) }
        if !asns.isEmpty { members.append(.init("asns", .array(asns.map { .integer(Int($0)) }))) }
        if !headers.isEmpty { members.append(.init("headers", .object(headers.map { .init($0.name, .string($0.pattern)) }))) }
        if let hours { members.append(.init("hours", hours.document)) }
        return .object(members)
    }
}

extension WeeklyHours {
    fileprivate static func read(_ parent: DocumentReader.Object, _ reader: inout DocumentReader) -> WeeklyHours? {
        guard let document = parent.members["hours"] else { return nil }
        let object = reader.object(document, at: parent.pointer(to: "hours"), keys: ["days", "from", "to", "utcOffset", "timeZone"])
        guard case .object = document else { return nil }
        var days = Set(0..<7)
        if object.members["days"] != nil {
            days = Set(
                reader.list(object, "days", count: 1...7, of: "days").compactMap { pointer, value in
                    if case .string(let text) = value, let day = dayNames.firstIndex(of: text) { return day }
                    reader.note(pointer, "must be one of \(dayNames.joined(separator: ", ")), is \(value.kind)")
                    return nil
                })
        }
        return WeeklyHours(
            days: days, from: time(object, "from", most: 1439, &reader) ?? 0, to: time(object, "to", most: 1440, &reader) ?? 1440,
            zone: readZone(object, &reader))
    }

    private static func time(
        _ object: DocumentReader.Object, _ key: String, most: Int, _ reader: inout DocumentReader
    ) -> Int? {
        guard let value = object.members[key] else { return nil }
        if case .string(let text) = value, let minutes = minutes(text), minutes <= most { return minutes }
        reader.note(object.pointer(to: key), "must be a time from \"00:00\" to \"\(self.text(most))\", is \(value.kind)")
        return nil
    }

    private static func readZone(_ object: DocumentReader.Object, _ reader: inout DocumentReader) -> Zone {
        guard let value = object.members["timeZone"] else { return .fixed(readOffset(object, &reader)) }
        if object.members["utcOffset"] != nil {
            reader.note(object.pointer(to: "utcOffset"), "has no meaning beside timeZone; remove one of them")
        }
        if case .string(let name) = value, isZoneName(name) {
            if !reader.knowsZone(name) {
                reader.note(
                    object.pointer(to: "timeZone"), "is \(value.kind), a time zone that this program does not know (letter case counts)")
            }
            return .named(name)
        }
        reader.note(object.pointer(to: "timeZone"), "must be an IANA time zone such as \"Europe/Berlin\", is \(value.kind)")
        return .fixed(0)
    }

    /// `Area/Location` or `UTC`. Short names like `CET` and `GMT+3` mean different things to different programs.
    private static func isZoneName(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let isPlain = parts.allSatisfy { part in
            !part.isEmpty && part.allSatisfy { URLByte.isAlphanumeric($0) || $0 == 0x2B || $0 == 0x2D || $0 == 0x5F }
        }
        return text == "UTC" || (parts.count > 1 && isPlain && text.utf8.count <= 64)
    }

    private static func readOffset(_ object: DocumentReader.Object, _ reader: inout DocumentReader) -> Int {
        guard let value = object.members["utcOffset"] else { return 0 }
        if case .string(let text) = value, let sign = text.first, sign == "+" || sign == "-", let minutes = minutes(text.dropFirst()),
            minutes <= 14 * 60
        {
            return sign == "-" ? -minutes : minutes
        }
        reader.note(object.pointer(to: "utcOffset"), "must be an offset such as \"+03:00\", at most 14 hours, is \(value.kind)")
        return 0
    }

    fileprivate var document: Document {
        let clocks =
            switch zone {
            case .fixed(let offset):
                Document.Member("utcOffset", .string((offset < 0 ? "-" : "+") + WeeklyHours.text(abs(offset))))
            case .named(let name): Document.Member("timeZone", .string(name))
            }
        return .object([
            .init("days", .array(days.sorted().map { .string(WeeklyHours.dayNames[$0]) })),
            .init("from", .string(WeeklyHours.text(from))),
            .init("to", .string(WeeklyHours.text(to))),
            clocks,
        ])
    }
}
