import CFuzzer
import Glibc

@testable import Edge

/// One connection on both paths. Which heads it has is compared always; every eighth is answered too, every 64th read by llhttp: either
/// costs more than all the rest.
@main enum FuzzRequests {
    /// Used by libFuzzer's one thread, and made before it begins.
    nonisolated(unsafe) private static var heads: PathProperty?
    nonisolated(unsafe) private static var answers: PathProperty?

    static func main() throws {
        unsafe heads = try PathProperty(answers: false)
        unsafe answers = try PathProperty(answers: true)
        // The arguments live as long as the process.
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe CommandLine.unsafeArgv
        var count = CommandLine.argc
        let code = unsafe LLVMFuzzerRunDriver(&count, &arguments) { start, count in
            // libFuzzer lends the bytes for the call; they are copied at once.
            FuzzRequests.check(unsafe [UInt8](UnsafeBufferPointer(start: start, count: count)))
            return 0
        }
        exit(code)
    }

    private static func check(_ stream: [UInt8]) {
        let hash = PathProperty.hash(stream) >> 32
        // The one thread is all that touches the two.
        if let fault = unsafe hash & 7 == 0 ? answers?.fault(stream) : heads?.fault(stream) { fatalError(fault) }
        if hash & 0x3F == 1, case .different(let fault) = LLHTTPProperty.verdict(stream) { fatalError(fault) }
    }
}
