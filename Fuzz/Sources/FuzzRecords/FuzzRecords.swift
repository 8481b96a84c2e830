import CFuzzer
import Glibc

/// Sessions of TLS under a client's records, good and bad, cut as reads cut them.
@main enum FuzzRecords {
    /// Used by libFuzzer's one thread, and made before it begins.
    nonisolated(unsafe) private static var property: RecordProperty?

    static func main() throws {
        unsafe property = try RecordProperty()
        // The arguments live as long as the process.
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe CommandLine.unsafeArgv
        var count = CommandLine.argc
        let code = unsafe LLVMFuzzerRunDriver(&count, &arguments) { start, count in
            // libFuzzer lends the bytes for the call; they are copied at once.
            FuzzRecords.check(unsafe [UInt8](UnsafeBufferPointer(start: start, count: count)))
            return 0
        }
        exit(code)
    }

    private static func check(_ script: [UInt8]) {
        // The one thread is all that touches it.
        if let fault = unsafe try? property?.fault(script) { fatalError(fault) }
    }
}
