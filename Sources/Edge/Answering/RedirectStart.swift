/// What a redirect begins with, up to the Location: the same for all of one second and status, so it is made once.
struct RedirectStart {
    private(set) var second = Int.min
    private(set) var status = 0
    private(set) var keepingAlive: [UInt8] = []
    private(set) var closing: [UInt8] = []

    /// In the buffers that are there: nothing is allocated.
    mutating func rewrite(second: Int, status: Int, date: [UInt8]) {
        self.second = second
        self.status = status
        RedirectStart.write(status, HTTP1Writer.Framing(closes: false), date, into: &keepingAlive)
        RedirectStart.write(status, HTTP1Writer.Framing(closes: true), date, into: &closing)
    }

    private static func write(_ status: Int, _ framing: HTTP1Writer.Framing, _ date: [UInt8], into bytes: inout [UInt8]) {
        var writer = HTTP1Writer()
        swap(&writer.bytes, &bytes)
        writer.bytes.removeAll(keepingCapacity: true)
        writer.begin(status, framing, date: date)
        writer.append("Location: ")
        swap(&writer.bytes, &bytes)
    }
}
