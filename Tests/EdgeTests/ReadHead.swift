import Steering

@testable import Edge

/// What a test expects of an accepted head: text instead of offsets. The defaults are those of `HeadVector.head()`.
struct ReadHead: Equatable {
    var method = RequestHead.Method.get
    var target = "/"
    var form = RequestHead.Form.origin
    var host = "h"
    var isHTTP10 = false
    var closes = false
    var body = RequestHead.Body.none
    var wantsJSON = false
    var expectsContinue = false
}

extension ReadHead {
    init(_ head: RequestHead, _ bytes: [UInt8]) {
        self.init(
            method: head.method, target: bytes[head.target.range].latin1, form: head.form, host: bytes[head.host.range].latin1,
            isHTTP10: head.isHTTP10, closes: head.closes, body: head.body, wantsJSON: head.wantsJSON, expectsContinue: head.expectsContinue)
    }
}

/// A scanner's word on some bytes.
enum Verdict: Equatable {
    case waits
    case refuses(HTTPFault)
    case accepts(ReadHead, length: Int)

    /// Scans `bytes` in the pieces that end at `cuts`, and at the end. Each call sees no byte beyond its piece.
    init(on bytes: [UInt8], cuts: some Sequence<Int> = [], limits: Limits = Limits()) {
        var scanner = HeadScanner(limits: limits)
        self = .waits
        for end in Array(cuts) + [bytes.count] {
            switch scanner.scan(bytes.span.extracting(0..<end)) {
            case .incomplete: continue
            case .fault(let fault): self = .refuses(fault)
            case .complete(let head): self = .accepts(ReadHead(head, bytes), length: head.length)
            }
            return
        }
    }
}
