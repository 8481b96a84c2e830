@testable import Steering

/// Used by libFuzzer's one thread, which only reads it.
private let check = try! SafeLocation()

/// One text as `video` value, as path and as query: whatever comes out leads into the catalog, in one line.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzVideos(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // libFuzzer lends the bytes for the call; they are copied at once.
    let bytes = unsafe [UInt8](UnsafeBufferPointer(start: start, count: count))
    if let fault = check.fault(bytes) { fatalError(fault) }
    return 0
}
