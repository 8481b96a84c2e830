/// Signs what a manifest names at one target, for one viewer. A token that is good for the manifest's folder is made once.
public struct TargetSigner: Sendable {
    private let table: RoutingTable
    private let target: Decision.Target
    /// Of the film's server.
    private let video: VideoReference
    private let asker: Asker
    /// What the token covers, below the root and with slashes at both ends; empty where each URL has one of its own.
    private let folder: [UInt8]
    /// Whether it covers folders below.
    private let reachesBelow: Bool
    /// What URLs in the folder begin with, a token in the path included.
    private var start: [UInt8] = []
    /// Parameters that URLs in the folder end with, without a separator.
    private var token: [UInt8] = []

    /// - Parameter path: of the manifest, below the root; begins with a slash.
    init(_ table: RoutingTable, _ target: Decision.Target, _ video: VideoReference, path: [UInt8], _ asker: Asker) {
        (self.table, self.target, self.asker) = (table, target, asker)
        self.video = video
        guard let signing = table.catalog.signing(of: target), signing.isShared else {
            (folder, reachesBelow) = ([], false)
            return
        }
        reachesBelow = signing.reachesBelow
        let end = signing.coverage == .prefix ? 1 : (path.lastIndex(of: UInt8(ascii: "/")) ?? 0) + 1
        folder = Array(path.prefix(end))
        appendSigned(folder, to: &start)
        guard !signing.isInPath, let question = start.firstIndex(of: UInt8(ascii: "?")) else { return }
        token = Array(start[(question + 1)...])
        start.removeSubrange(question...)
    }

    /// The most bytes that a URL of this length has when it is signed.
    public func capacity(_ length: Int) -> Int { table.signedCapacity(of: target, length) }

    /// Appends a URL.
    ///
    /// - Parameter path: below the root, with its query. A fragment is left out, which no server gets to see.
    public func append(_ path: ArraySlice<UInt8>, to out: inout [UInt8]) {
        let path = path.prefix { $0 != UInt8(ascii: "#") }
        guard !folder.isEmpty, path.starts(with: folder) else { return appendSigned(Array(path), to: &out) }
        let rest = Array(path.dropFirst(folder.count))
        let isDirectly = !rest.prefix { $0 != UInt8(ascii: "?") }.contains(UInt8(ascii: "/"))
        guard reachesBelow || isDirectly else { return appendSigned(Array(path), to: &out) }
        let begin = out.count
        out += start
        guard !token.isEmpty else {
            table.appendTail(rest, to: &out)
            return
        }
        let tail = out.count
        table.appendTail(rest, to: &out)
        if out[tail...].contains(UInt8(ascii: "?")) { table.removeTokens(of: target, from: begin, of: &out) }
        out.append(out[tail...].contains(UInt8(ascii: "?")) ? UInt8(ascii: "&") : UInt8(ascii: "?"))
        out += token
    }

    private func appendSigned(_ path: [UInt8], to out: inout [UInt8]) {
        let nothing: [UInt8] = []
        let whole = video.withTail(0..<path.count)
        table.appendLocation(target, whole, of: path.span, passing: .empty, of: nothing.span, for: asker, to: &out)
    }
}

extension VideoReference {
    /// Another path on the same server, as if it were asked for at the balancer.
    func withTail(_ tail: Range<Int>) -> VideoReference {
        VideoReference(
            server: server, domain: domain, tail: SourceRange(tail), isDecoded: false, form: .path, scheme: scheme,
            isAskedByHTTPS: isAskedByHTTPS)
    }
}

extension RoutingTable {
    /// What signs URLs of a target; nil where they need no token.
    ///
    /// - Parameter path: of the manifest that names them.
    public func signer(
        of target: Decision.Target, _ video: VideoReference, path: [UInt8], for asker: Asker
    ) -> TargetSigner? {
        let isSigned = !signers.isEmpty && signers.lending(Signers.index(target)) { $0.signer != nil }
        return isSigned ? TargetSigner(self, target, video, path: path, asker) : nil
    }

    /// Whether links to any target are signed.
    public var signsLinks: Bool { !signers.isEmpty }

    /// The most bytes that a URL of this length has at any target.
    public func signedCapacity(_ length: Int) -> Int {
        signers.indices.reduce(length) { most, index in max(most, signers.lending(index) { signedCapacity($0, length) }) }
    }

    func signedCapacity(of target: Decision.Target, _ length: Int) -> Int {
        signers.isEmpty ? length : signers.lending(Signers.index(target)) { signedCapacity($0, length) }
    }

    /// Bytes that no URL may have are percent-encoded.
    private func signedCapacity(_ signer: Signers.Target, _ length: Int) -> Int {
        3 * length + (signer.signer?.capacity(3 * length) ?? 0)
    }

    fileprivate func appendTail(_ tail: [UInt8], to out: inout [UInt8]) {
        out.append(addingCapacity: 3 * tail.count) { RoutingTable.append(0..<tail.count, of: tail.span, to: &$0) }
    }

    fileprivate func removeTokens(of target: Decision.Target, from start: Int, of out: inout [UInt8]) {
        let url = Array(out[start...])
        out.removeSubrange(start...)
        out.append(addingCapacity: url.count) { output in
            let begin = output.count
            output.append(copying: url.span)
            tokens.removeOwnParameters(of: target, from: begin, of: &output)
        }
    }
}
