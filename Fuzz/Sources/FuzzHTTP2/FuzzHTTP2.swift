import CFuzzer
import Glibc

/// One connection of HTTP/2 under a client of any kind, without a socket.
@main enum FuzzHTTP2 {
    /// Used by libFuzzer's one thread, and made before it begins.
    nonisolated(unsafe) private static var property: HTTP2Property?

    static func main() throws {
        unsafe property = try HTTP2Property()
        // The arguments live as long as the process.
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe CommandLine.unsafeArgv
        var count = CommandLine.argc
        let code = unsafe LLVMFuzzerRunDriver(&count, &arguments) { start, count in
            // libFuzzer lends the bytes for the call; they are copied at once.
            FuzzHTTP2.check(unsafe [UInt8](UnsafeBufferPointer(start: start, count: count)))
            return 0
        }
        exit(code)
    }

    private static func check(_ input: [UInt8]) {
        // The one thread is all that touches it.
        if let fault = unsafe property?.fault(input) { fatalError(fault) }
    }
}
