import CFuzzer
import Glibc

@testable import Playlist

/// One text as a multivariant playlist and as an MPD: it is refused, or what comes out is whole and has its pathways.
@main enum FuzzManifests {
    private static let property = ManifestProperty()

    static func main() {
        // The arguments live as long as the process.
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe CommandLine.unsafeArgv
        var count = CommandLine.argc
        let code = unsafe LLVMFuzzerRunDriver(&count, &arguments) { start, count in
            // libFuzzer lends the bytes for the call; they are copied at once.
            let bytes = unsafe [UInt8](UnsafeBufferPointer(start: start, count: count))
            if let fault = FuzzManifests.property.fault(bytes) { fatalError(fault) }
            return 0
        }
        exit(code)
    }
}
