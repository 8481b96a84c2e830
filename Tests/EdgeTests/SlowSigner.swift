import Steering
import Synchronization

/// Signs like a private key: what was not prepared takes its time.
final class SlowSigner: LinkSigner {
    private let prepared = Mutex<Set<String>>([])
    /// Directories that were signed while somebody waited for the link.
    let onTheSpot = Mutex<[String]>([])

    var isSlow: Bool { true }
    func capacity(_ length: Int) -> Int { 2 }

    private func directory(_ url: borrowing OutputSpan<UInt8>, _ start: Int) -> String {
        let text = String(decoding: (start..<url.count).map { url.span[$0] }, as: UTF8.self)
        return String(text.prefix { $0 != "?" }.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/"))
    }

    func sign(_ url: inout OutputSpan<UInt8>, from start: Int, base: Int, for client: ClientAddress, second: Int) -> Range<Int> {
        let directory = directory(url, start)
        if prepared.withLock({ $0.insert(directory).inserted }) { onTheSpot.withLock { $0.append(directory) } }
        url.append(UInt8(ascii: "?"))
        url.append(UInt8(ascii: "t"))
        return url.count - 1..<url.count
    }

    func isReady(_ url: inout OutputSpan<UInt8>, from start: Int, base: Int, for client: ClientAddress, second: Int) -> Bool {
        let directory = directory(url, start)
        return prepared.withLock { $0.contains(directory) }
    }

    func preparation(
        _ url: inout OutputSpan<UInt8>, from start: Int, base: Int, for client: ClientAddress, second: Int
    ) -> SignatureWork? {
        let directory = directory(url, start)
        if prepared.withLock({ $0.contains(directory) }) { return nil }
        let hash = directory.utf8.reduce(UInt64(7)) { $0 &* 31 &+ UInt64($1) }
        return SignatureWork(key: .init(high: hash, low: hash)) { [self] in prepared.withLock { _ = $0.insert(directory) } }
    }

    /// As if it had been asked for before.
    func prepare(_ directory: String) { prepared.withLock { _ = $0.insert(directory) } }
}
