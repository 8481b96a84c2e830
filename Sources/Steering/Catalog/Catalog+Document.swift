/// From a catalog back to its document, defaults resolved.
extension Catalog {
    /// The document that `init(_: Document)` reads back as an equal catalog.
    ///
    /// Defaults are written out, but not of keys that earlier versions do not know: in a fleet that is being upgraded, and after a way back,
    /// they go on reading every catalog that does not use what is new.
    public var document: Document {
        .object([
            .init("version", .integer(Catalog.version)),
            .init("origin", origin.document),
            .init("cdns", .array(cdns.map(\.document))),
            .init("selection", selection.document),
            .init("redirect", redirect.document),
            .init(
                "failover",
                .object([
                    .init("panicThreshold", .fraction(failover.panicThreshold)),
                    .init("originLimit", failover.originLimit.map(Document.integer) ?? .null),
                ])),
            .init("rules", .array(rules.map(\.document))),
        ])
    }
}

extension Catalog.Origin {
    fileprivate var document: Document {
        var members: [Document.Member] = [
            .init("domains", .array(domains.map(Document.string))),
            .init("servers", .array(servers.map(Document.string))),
            .init("scheme", .string(scheme.rawValue)),
        ]
        if keepsScheme { members.append(.init("keepScheme", .bool(true))) }
        members += [.init("every", .integer(every)), .init("scope", .string(scope.rawValue))]
        if let probe { members.append(.init("probe", probe.document)) }
        return .object(members)
    }
}

extension Catalog.Redirect {
    fileprivate var document: Document {
        var members: [Document.Member] = [.init("status", .integer(status)), .init("links", .bool(links))]
        if !passParameters.isEmpty { members.append(.init("passParameters", .array(passParameters.map(Document.string)))) }
        return .object(members)
    }
}

extension Catalog.CDN {
    fileprivate var document: Document {
        .object(
            [
                .init("name", .string(name)),
                .init("url", .string(url.text)),
                .init("weight", .integer(weight)),
                .init("enabled", .bool(enabled)),
            ] + (probe.map { [.init("probe", $0.document)] } ?? [])
                + (maxPerSecond.map { [.init("maxPerSecond", .integer($0))] } ?? []))
    }
}

extension Document {
    /// Whole numbers without a decimal point, as a text would be read back.
    static func fraction(_ value: Double) -> Document { value == 0 || value == 1 ? .integer(Int(value)) : .number(value) }
}
