import NIOHTTP1
import Playlist
import Probing

/// Why a target gave no manifest.
struct FetchFault: Error {
    /// As metrics have it.
    let reason: Manifest.Refusal
    /// What it was, in an operator's words.
    let cause: String
    /// Whether the target says that there is nothing: then what was kept is not better than that (RFC 5861 §4).
    let isAbsent: Bool

    init(_ reason: Manifest.Refusal, _ cause: String, isAbsent: Bool = false) {
        (self.reason, self.cause, self.isAbsent) = (reason, cause, isAbsent)
    }

    /// - Parameter error: of a name, a connection or what was read from it.
    init(unreachable error: any Error) { self.init(.unreachable, ProbeFault.text(of: error)) }

    /// An answer that is no manifest by its status.
    init(status: HTTPResponseStatus) {
        let isAbsent = (400..<500).contains(status.code) && ![408, 425, 429].contains(status.code)
        self.init(.status, "it answers \(status.code)", isAbsent: isAbsent)
    }

    /// - Parameter error: of asking a target, or of reading what it has sent.
    init(_ error: any Error) {
        switch error {
        case let fault as FetchFault: self = fault
        case let reason as Manifest.Refusal: self.init(reason, "what it has sent cannot be served: \(reason.rawValue)")
        default: self.init(unreachable: error)
        }
    }

    static let cut = FetchFault(.incomplete, "its answer ended before its end")
}
