@testable import Edge

/// Used by libFuzzer's one thread.
nonisolated(unsafe) private var heads = try! PathProperty(answers: false)
nonisolated(unsafe) private var answers = try! PathProperty(answers: true)

/// One connection on both paths. Which heads it has is compared always; every eighth is answered too, every 64th read by llhttp: either
/// costs more than all the rest.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRequests(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // libFuzzer lends the bytes for the call; they are copied at once.
    let stream = unsafe [UInt8](UnsafeBufferPointer(start: start, count: count))
    let hash = PathProperty.hash(stream) >> 32
    // The one thread is all that touches the two.
    if let fault = unsafe hash & 7 == 0 ? answers.fault(stream) : heads.fault(stream) { fatalError(fault) }
    if hash & 0x3F == 1, case .different(let fault) = LLHTTPProperty.verdict(stream) { fatalError(fault) }
    return 0
}
