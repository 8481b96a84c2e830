import CNIOBoringSSL
import NIOSSL

/// Why certificates cannot be used: one line that says what, where and what to do.
public struct TLSError: Error, CustomStringConvertible, Equatable {
    public let description: String

    public init(_ description: String) { self.description = description }

    /// A call of BoringSSL that fails only when memory has run out or the program is wrong.
    static func unexpected(_ call: String) -> TLSError {
        let code = ERR_peek_error()
        ERR_clear_error()
        // The library's texts are constants.
        let reason = unsafe ERR_reason_error_string(code).map { unsafe String(cString: $0) } ?? "no reason given"
        return TLSError("\(call) failed: \(reason)")
    }
}
