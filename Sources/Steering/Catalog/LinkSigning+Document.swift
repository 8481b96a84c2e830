/// The signing of links in a catalog's document.
extension LinkSigning {
    static let section = Section(
        LinkSigning(),
        [
            Key("scheme", \.scheme, schemeForm, .required),
            Key("key", \.key, keyForm, .required),
            Key(
                "life", \.life, .integer(60...31_536_000),
                foreign: { $0.expires ? nil : "has no meaning: links of secure_link_secret never expire" }),
            Key("covers", \.covers, .choice, foreign: \.saysByExpression),
            Key("placement", \.placement, .choice, foreign: \.hasOnePlace),
            Key("bindAddress", \.bindsAddress, .flag, foreign: \.bindsNobody),
            Key("expression", \.expression, expressionForm, .required, foreign: \.hasNoExpression),
            Key("parameter", \.parameter, parameterForm.optional, .hidden, foreign: \.hasFixedParameter),
            Key("expiresParameter", \.expiresParameter, parameterForm, .hidden, foreign: \.hasFixedExpiry),
            Key("encoding", \.encoding, .choice, foreign: { $0.scheme == .hmac ? nil : "belongs to the scheme \"hmac\"" }),
        ],
        check: { signing, pointer, reader in
            if signing.scheme == .gcore, signing.covers == .prefix {
                reader.note(pointer + "/covers", "must be \"file\" or \"directory\": Gcore's tokens cover no more than one directory")
            }
            if signing.isInMiddle, signing.covers == .file {
                reader.note(
                    pointer + "/covers", "must be \"directory\" or \"prefix\": Media CDN's tokens in the path cover what stands before them"
                )
            }
            if signing.hasExpression, !signing.expression.pieces.isEmpty { signing.checkExpression(pointer + "/expression", &reader) }
            if signing.hasExpression, signing.parameter == signing.expiresParameter {
                reader.note(pointer + "/expiresParameter", "is the token's parameter too; each needs a name of its own")
            }
        })

    private static let names = Scheme.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")

    private static let schemeForm = Form<Scheme>(.choice(Scheme.allCases.map { .string($0.rawValue) }), hint: "one of \(names)") {
        document, pointer, reader in
        if case .string(let text) = document, let scheme = Scheme(rawValue: text) { return scheme }
        let isOutdated = document == .string("bunny-basic")
        reader.note(
            pointer,
            isOutdated
                ? "is outdated: Bunny's basic tokens are MD5 without a directory; take \"bunny\", which the same pull zone understands"
                : "must be one of \(names), is \(document.kind)")
        return nil
    } write: {
        .string($0.rawValue)
    }

    /// The name of a file: none that is hidden, and no way out of the folder.
    private static let keyForm = Form<String>.text(
        "the name of a key's file such as \"cdn-a\"",
        rule: "the name of a file in the folder of --signing-keys (1 to 64 letters, digits, dots, hyphens or underscores, no dot first)",
        parse: { LinkSigning.isKeyName($0) ? $0 : nil }, write: { $0 })

    /// Whether a key's file may be called so.
    public static func isKeyName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count) && text.utf8.allSatisfy(URLByte.isNameByte) && !text.hasPrefix(".")
    }

    private static let parameterForm = Form<String>.name(
        "a name", rule: "a parameter's name such as \"md5\" (1 to 64 letters, digits, dots, hyphens or underscores)")

    /// Faults do not repeat it: who copies a line of nginx.conf may have copied the secret with it.
    private static let expressionForm = Form<SigningExpression>(.text, hint: "an expression such as \"$secure_link_expires$uri $secret\"") {
        document, pointer, reader in
        if case .string(let text) = document, let expression = SigningExpression(text) { return expression }
        reader.note(
            pointer,
            "must be a text of at most 512 visible ASCII characters and spaces without quotes and backslashes; its variables are "
                + SigningExpression.names)
        return nil
    } write: {
        .string($0.text)
    }

    private func checkExpression(_ pointer: String, _ reader: inout DocumentReader) {
        let hasSecret = expression.pieces.contains(.secret)
        if scheme == .nginx, !hasSecret {
            reader.note(
                pointer,
                "has no $secret: write $secret where your nginx.conf has the secret itself, and the secret into the key's file; "
                    + "if you have stored it here, choose a new one")
        }
        if scheme == .hmac, hasSecret { reader.note(pointer, "has $secret, but an HMAC takes the key beside the text; remove it") }
        if !expression.pieces.contains(.expires) {
            reader.note(pointer, "has no $secure_link_expires: whoever has a link could make it last for ever")
        }
    }

    private var saysByExpression: String? {
        if scheme == .nginxSecret { return "has no meaning: secure_link_secret covers a file for everybody" }
        return hasExpression ? "has no meaning: the expression says it ($uri, $directory; $remote_addr)" : nil
    }

    private var bindsNobody: String? {
        scheme == .mediaCDN
            ? "has no meaning: signatures of Media CDN are for everybody; the scheme \"media-cdn-token\" binds" : saysByExpression
    }

    private var hasOnePlace: String? {
        switch scheme {
        case .nginxSecret: "has no meaning: secure_link_secret has its token in the path"
        case .gcore: "has no meaning: Gcore reads tokens in the query alone"
        case .cloudFront: "has no meaning: CloudFront reads tokens in the query alone"
        case .mediaCDNToken: "has no meaning: Media CDN reads these tokens in the query; the scheme \"media-cdn\" has one in the path"
        case .nginx, .akamai, .bunny, .hmac, .mediaCDN: nil
        }
    }

    private var hasNoExpression: String? { hasExpression ? nil : "belongs to the schemes \"nginx\" and \"hmac\"" }

    private var hasFixedParameter: String? {
        if hasExpression { return placement == .path ? "has no meaning: a token in the path has no name" : nil }
        return scheme == .akamai || scheme == .mediaCDNToken
            ? nil : "belongs to the schemes \"nginx\", \"hmac\", \"akamai\" and \"media-cdn-token\""
    }

    private var hasFixedExpiry: String? {
        if !hasExpression { return "belongs to the schemes \"nginx\" and \"hmac\"" }
        return placement == .path ? "has no meaning: a time in the path has no name" : nil
    }
}
