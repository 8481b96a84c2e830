/// The tokens of signed links, as far as they have to be known again: a link that comes back is read without its token, and signed anew.
struct LinkTokens: Sendable {
    /// Parameters of the query by scheme, the token's own first in each.
    private let parameters: [ByteStrings]
    /// Which of them a target's links have, the origin first; -1 for none.
    private let ownParameters: [Int]
    /// What stands before a token in the path: a name and its equals sign, or nothing where the token stands alone, before its time.
    private let pathNames: ByteStrings
    private let hasBareToken: Bool
    /// What stands before a token in the middle of a path; empty where none is there.
    let middleName: [UInt8]
    let areOriginsInMiddle: Bool
    /// By target, the origin first: whether a token in the path is good for a folder.
    private let areFoldersInPaths: [Bool]
    /// Whether any is.
    let hasFolders: Bool
    /// Whether a target's links have a digest behind its URL.
    let hasDigest: Bool

    /// Whether links to the origin have any: what looks like one in an origin's URL is the video's own otherwise.
    let areOriginsInQueries: Bool
    let areOriginsInPaths: Bool

    init(_ catalog: Catalog) {
        let signings = catalog.signings.map(\.signing)
        areOriginsInQueries = catalog.origin.sign.map { !$0.isInPath } ?? false
        areOriginsInPaths = catalog.origin.sign?.isInPath ?? false
        areOriginsInMiddle = catalog.origin.sign?.isInMiddle ?? false
        middleName = signings.first(where: \.isInMiddle).map { Array("/\($0.tokenName)=".utf8) } ?? []
        let inQuery = signings.filter { !$0.isInPath }.map(\.tokenParameters)
        let groups = Set(inQuery).sorted { $0.lexicographicallyPrecedes($1) }
        parameters = groups.map { ByteStrings($0) }
        ownParameters = ([catalog.origin.sign] + catalog.cdns.map(\.sign)).map { signing in
            signing.flatMap { groups.firstIndex(of: $0.tokenParameters) } ?? -1
        }
        areFoldersInPaths = ([catalog.origin.sign] + catalog.cdns.map(\.sign)).map { signing in
            signing.map { $0.isInherited && $0.coverage == .directory } ?? false
        }
        hasFolders = areFoldersInPaths.contains(true)
        let inPath = signings.filter { $0.isInPath && $0.scheme != .nginxSecret }
        pathNames = ByteStrings(Set(inPath.filter { !$0.hasExpression }.map { "/\($0.tokenName)=" }).sorted())
        hasBareToken = inPath.contains(where: \.hasExpression)
        hasDigest = signings.contains { $0.scheme == .nginxSecret }
    }

    /// Whether a target's token is good for a folder and stands before it.
    func coversFolder(_ target: Decision.Target) -> Bool { areFoldersInPaths[Signers.index(target)] }

    /// Whether a link of this form may have a token in its query.
    func areInQueries(_ form: VideoReference.Form) -> Bool {
        switch form {
        case .cdnURL: !parameters.isEmpty
        case .originURL: areOriginsInQueries
        case .path: false
        }
    }

    var areInPaths: Bool { hasBareToken || pathNames.count > 0 }

    /// Where the path goes on behind a token that it begins with; nil when there is none.
    func end(_ text: borrowing Span<UInt8>, _ tail: Range<Int>) -> Int? {
        guard areInPaths, !tail.isEmpty, text[tail.lowerBound] == UInt8(ascii: "/") else { return nil }
        let slash = text.firstIndex(in: tail.lowerBound + 1..<tail.upperBound) { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") }
        guard slash < tail.upperBound, text[slash] == UInt8(ascii: "/") else { return nil }
        for position in 0..<pathNames.count {
            let name = pathNames.range(position)
            let start = tail.lowerBound..<min(tail.lowerBound + name.count, slash)
            if pathNames.equals(position, text, start) { return slash }
        }
        guard hasBareToken else { return nil }
        // A digest's 22, 43 or 64 characters, then the time, which has ten digits at least: a folder may be called 1080.
        let token = tail.lowerBound + 1..<slash
        guard [22, 43, 64].contains(token.count), LinkTokens.isToken(text, token) else { return nil }
        let end = text.firstIndex(in: slash + 1..<tail.upperBound) { !URLByte.isDigit($0) }
        return end > slash + 10 && end < tail.upperBound && text[end] == UInt8(ascii: "/") ? end : nil
    }

    /// Where the path goes on behind a digest of 32 hexadecimal digits and its slash; nil when it has none there.
    func digestEnd(_ text: borrowing Span<UInt8>, _ path: Range<Int>) -> Int? {
        guard hasDigest, path.count > 32, text[path.lowerBound + 32] == UInt8(ascii: "/") else { return nil }
        for index in path.prefix(32) where URLByte.hexValue(text[index]) == nil { return nil }
        return path.lowerBound + 33
    }

    /// Removes a token from the middle of a path: the segment that begins with its name.
    ///
    /// - Returns: whether there was one.
    func removeSegment(from text: inout [UInt8]) -> Bool {
        guard !middleName.isEmpty else { return false }
        let end = text.firstIndex { $0 == UInt8(ascii: "?") } ?? text.count
        var start = 0
        while start + middleName.count <= end {
            if text[start] == UInt8(ascii: "/"), text.span.begins(with: middleName, in: start..<end) {
                let slash = text.span.firstIndex(of: UInt8(ascii: "/"), in: start + 1..<end)
                guard slash < end else { return false }
                text.removeSubrange(start..<slash)
                return true
            }
            start += 1
        }
        return false
    }

    private static func isToken(_ text: borrowing Span<UInt8>, _ range: Range<Int>) -> Bool {
        for index in range {
            let byte = text[index]
            guard URLByte.isAlphanumeric(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") else { return false }
        }
        return true
    }

    /// Removes the parameters of tokens from the query at the end of `out`, and its question mark when nothing is left. A scheme's
    /// parameters go only where the token itself is there: `expires` alone may be the video's own.
    func removeParameters(from start: Int, of out: inout OutputSpan<UInt8>) {
        for position in parameters.indices {
            let question = out.span.firstIndex(of: UInt8(ascii: "?"), in: start..<out.count)
            guard question < out.count, LinkTokens.contains(parameters[position], 0..<1, out.span, question + 1..<out.count) else {
                continue
            }
            remove(parameters[position], behind: question, of: &out)
        }
    }

    /// Removes what the video's own query has of a target's parameters: a verifier would take the first for the token's.
    func removeOwnParameters(of target: Decision.Target, from start: Int, of out: inout OutputSpan<UInt8>) {
        let position = ownParameters[Signers.index(target)]
        guard position >= 0 else { return }
        let question = out.span.firstIndex(of: UInt8(ascii: "?"), in: start..<out.count)
        if question < out.count,
            LinkTokens.contains(parameters[position], 0..<parameters[position].count, out.span, question + 1..<out.count)
        {
            remove(parameters[position], behind: question, of: &out)
        }
    }

    private func remove(_ names: ByteStrings, behind question: Int, of out: inout OutputSpan<UInt8>) {
        let length = out.count
        var (read, write) = (question + 1, question)
        while read < length {
            let end = out.span.firstIndex(of: UInt8(ascii: "&"), in: read..<length)
            let isToken = LinkTokens.contains(names, 0..<names.count, out.span, read..<end)
            if !isToken {
                // The byte before it, its question mark or ampersand, stays one of the two.
                let separator = write == question ? UInt8(ascii: "?") : UInt8(ascii: "&")
                var bytes = out.mutableSpan
                bytes[write] = separator
                write += 1
                for index in read..<end {
                    bytes[write] = bytes[index]
                    write += 1
                }
            }
            read = end + 1
        }
        out.removeLast(length - write)
    }

    /// Whether one of the parameters in `range` has one of the names at `positions`.
    private static func contains(
        _ names: ByteStrings, _ positions: Range<Int>, _ text: borrowing Span<UInt8>, _ range: Range<Int>
    ) -> Bool {
        var start = range.lowerBound
        while start < range.upperBound {
            let end = text.firstIndex(of: UInt8(ascii: "&"), in: start..<range.upperBound)
            let name = start..<text.firstIndex(of: UInt8(ascii: "="), in: start..<end)
            for position in positions where names.equals(position, text, name) { return true }
            start = end + 1
        }
        return false
    }
}
