import CFuzzer
import Glibc

@testable import Steering

/// One text as `video` value, as path and as query: whatever comes out leads into the catalog, in one line.
@main enum FuzzVideos {
    /// Used by libFuzzer's one thread, and made before it begins.
    nonisolated(unsafe) private static var safe: SafeLocation?

    static func main() throws {
        unsafe safe = try SafeLocation()
        // The arguments live as long as the process.
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe CommandLine.unsafeArgv
        var count = CommandLine.argc
        let code = unsafe LLVMFuzzerRunDriver(&count, &arguments) { start, count in
            // libFuzzer lends the bytes for the call; they are copied at once.
            let bytes = unsafe [UInt8](UnsafeBufferPointer(start: start, count: count))
            if let fault = unsafe FuzzVideos.safe?.fault(bytes) { fatalError(fault) }
            return 0
        }
        exit(code)
    }
}
