import CFuzzer
import Glibc

@testable import Steering

/// One text as `video` value, as path and as query: whatever comes out leads into the catalog, in one line.
@main enum FuzzVideos {
    private static let safe = try! SafeLocation()

    static func main() {
        // The arguments live as long as the process.
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe CommandLine.unsafeArgv
        var count = CommandLine.argc
        let code = unsafe LLVMFuzzerRunDriver(&count, &arguments) { start, count in
            // libFuzzer lends the bytes for the call; they are copied at once.
            let bytes = unsafe [UInt8](UnsafeBufferPointer(start: start, count: count))
            if let fault = FuzzVideos.safe.fault(bytes) { fatalError(fault) }
            return 0
        }
        exit(code)
    }
}
