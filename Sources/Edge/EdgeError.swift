import Glibc

/// Why the data plane cannot listen: one line that says what, where and what to do.
public struct EdgeError: Error, CustomStringConvertible, Equatable {
    public let description: String

    init(_ description: String) { self.description = description }

    init(_ doing: String, errno code: CInt, hint: String = "") {
        // strerror's text is copied before anything else can call it.
        let reason = unsafe String(cString: strerror(code))
        description = "\(doing): \(reason)\(hint.isEmpty ? "" : "; \(hint)")"
    }
}
