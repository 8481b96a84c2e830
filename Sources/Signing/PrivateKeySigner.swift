import Steering
import TLS

/// How a CDN wants what a private key signs: the text, and where the signature stands.
protocol SignedForm: Sendable {
    func capacity(_ length: Int) -> Int

    /// Goes on with the link at the end of `url`, up to the text that is signed, with which it ends.
    func begin(_ url: inout OutputSpan<UInt8>, _ parts: LinkParts, _ client: ClientAddress, expiry: Int, id: [UInt8]) -> Draft

    /// Finishes the link.
    ///
    /// - Returns: where the token stands that must not be shown.
    func end(_ url: inout OutputSpan<UInt8>, _ draft: Draft, _ signature: Signature, _ hash: SignatureKey.Hash, id: [UInt8]) -> Range<Int>

    /// What is done to the bytes of the link before anything else.
    func prepare(_ url: inout OutputSpan<UInt8>, from start: Int)

    var covers: LinkSigning.Coverage { get }
}

extension SignedForm {
    func prepare(_ url: inout OutputSpan<UInt8>, from start: Int) {}
}

/// A link that is being signed.
struct Draft {
    let parts: LinkParts
    /// Where the link ended.
    let end: Int
    /// What is signed, from here to where it is said to end.
    let text: Range<Int>
}

/// Signs by a private key, or rather writes signatures that are kept: of one film, key and window of time there is one.
struct PrivateKeySigner<Form: SignedForm>: LinkSigner {
    /// A key with its name at the CDN.
    private struct Key {
        let key: SignatureKey
        let id: [UInt8]
        /// CloudFront's default for RSA; Ed25519 has its own.
        var hash: SignatureKey.Hash { key.kind == .rsa ? .sha1 : .sha256 }
        /// Tells it apart in the table.
        let number: UInt64
    }

    private let keys: KeyPair<Key>
    private let form: Form
    private let life: Int
    private let window: Int
    private let table: SignatureTable

    /// - Parameter key: fits the scheme.
    init?(_ form: Form, life: Int, _ key: SigningKey, _ table: SignatureTable) {
        guard
            let keys = KeyPair(
                key,
                { part -> Key? in
                    guard let privateKey = part.privateKey, let id = part.id else { return nil }
                    return Key(key: privateKey, id: Array(id.utf8), number: PrivateKeySigner.number(privateKey, id))
                })
        else { return nil }
        (self.keys, self.form, self.life, self.table) = (keys, form, life, table)
        window = LinkLife.window(life)
    }

    /// The same for the same key in whatever table of routes.
    private static func number(_ key: SignatureKey, _ id: String) -> UInt64 {
        Digest.sha256(key.publicBytes + Array(id.utf8)).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }

    var isSlow: Bool { true }

    func capacity(_ length: Int) -> Int { form.capacity(length) }

    func sign(_ url: inout OutputSpan<UInt8>, from start: Int, base: Int, for client: ClientAddress, second: Int) -> Range<Int> {
        let draft = begin(&url, from: start, base: base, for: client, second: second)
        let key = kept(url.span.extracting(draft.text), second)
        let signature = table.signature(key) ?? made(url.span.extracting(draft.text), key, second)
        return keys.lend(at: second) { form.end(&url, draft, signature ?? Signature(), $0.hash, id: $0.id) }
    }

    func isReady(_ url: inout OutputSpan<UInt8>, from start: Int, base: Int, for client: ClientAddress, second: Int) -> Bool {
        let draft = begin(&url, from: start, base: base, for: client, second: second)
        return table.contains(kept(url.span.extracting(draft.text), second))
    }

    func preparation(
        _ url: inout OutputSpan<UInt8>, from start: Int, base: Int, for client: ClientAddress, second: Int
    ) -> SignatureWork? {
        let draft = begin(&url, from: start, base: base, for: client, second: second)
        let key = kept(url.span.extracting(draft.text), second)
        if table.contains(key) { return nil }
        let text = draft.text.map { url.span[$0] }
        return SignatureWork(key: key) {
            if !table.contains(key) { _ = made(text.span, key, second) }
        }
    }

    private func begin(
        _ url: inout OutputSpan<UInt8>, from start: Int, base: Int, for client: ClientAddress, second: Int
    ) -> Draft {
        form.prepare(&url, from: start)
        let parts = LinkParts(url.span, from: start, base: base)
        let shift = LinkLife.shift(url.span, start..<parts.covered(form.covers, url.span).upperBound, window)
        let expiry = LinkLife.expiry(second, life, window: window, shift: shift)
        return keys.lend(at: second) { form.begin(&url, parts, client, expiry: expiry, id: $0.id) }
    }

    private func kept(_ text: borrowing Span<UInt8>, _ second: Int) -> SignatureWork.Key {
        table.key(of: text, signer: keys.lend(at: second) { $0.number })
    }

    /// For up to a millisecond.
    private func made(_ text: borrowing Span<UInt8>, _ key: SignatureWork.Key, _ second: Int) -> Signature? {
        guard let signature = Signature(keys.lend(at: second) { $0.key.sign(text, $0.hash) } ?? []) else { return nil }
        table.keep(signature, key)
        return signature
    }
}

/// Times of links.
enum LinkLife {
    /// Seconds that a CDN's clock may be ahead without shortening a life. A clock that is behind refuses nobody: no link has a time before
    /// which it is not good.
    static let skew = 60

    /// Seconds in which a film's links by a private key expire at the same time, since they have the same signature.
    static func window(_ life: Int) -> Int { max(30, life / 24) }

    /// A life and a minute at least; up to a window more.
    static func expiry(_ second: Int, _ life: Int, window: Int, shift: Int) -> Int {
        (second - shift) / window * window + window + shift + life + skew
    }

    /// Each film's windows begin at another second: all at once would have to be signed anew otherwise. The same on every balancer.
    static func shift(_ url: borrowing Span<UInt8>, _ covered: Range<Int>, _ window: Int) -> Int {
        // FNV-1a.
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for index in covered { hash = (hash ^ UInt64(url[index])) &* 0x100_0000_01B3 }
        return Int(truncatingIfNeeded: (hash ^ hash >> 32) % UInt64(window))
    }
}
