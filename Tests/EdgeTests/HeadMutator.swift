/// Heads that are nearly right: valid ones, with a few bytes, lines or tokens changed.
enum HeadMutator {
    private static let seeds: [[UInt8]] = [
        "GET /?video=http://s1.origin-cluster/v/1.m3u8 HTTP/1.1\r\nHost: b\r\nUser-Agent: x/1.0 (y; z)\r\nAccept: */*\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: balancer.example:8000\r\nConnection: keep-alive\r\nAccept: text/html, application/json;q=0.9\r\n\r\n",
        "HEAD /s1/v/1.m3u8?a=b HTTP/1.0\r\nConnection: close\r\n\r\n",
        "POST /origin HTTP/1.1\r\nHost: [::1]:8000\r\nContent-Length: 12\r\nExpect: 100-continue\r\n\r\n",
        "POST /origin HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nhost:b\r\norigin: http://p.example\r\n\r\n",
        "GET http://b:80/?video=x HTTP/1.1\r\nHost: b:80\r\nCookie: a=b; c=\"d\"\r\nX-\u{60}y: \u{E4}\t\u{FF}\r\n\r\n",
        "CONNECT b:443 HTTP/1.1\r\nHost: b:443\r\n\r\n",
        "PATCH /a/b;c=d/%2e%2e/?e&f=g%zz HTTP/1.1\r\nHost: a.b.c.\r\nContent-Length: 0\r\nTE: trailers\r\n\r\n",
        "\r\n\r\nDELETE //x HTTP/1.1\r\nHost: 127.0.0.1\r\nKeep-Alive: 5\r\nProxy-Connection: x\r\n\r\n",
    ].map { [UInt8](latin1: $0) }

    private static let tokens: [[UInt8]] = [
        "\r\n", "\n", "\r", " ", "\t", ":", ",", ";", "=", "/", "?", "#", "*", "%", "@", "[", "]", "\u{0}", "\u{B}", "\u{7F}", "\u{80}",
        "\u{A0}", "\u{85}", "0", "9", "+", "-", "_",
        "\"", "\\", "http://", "https://", "HTTP/1.1", "HTTP/1.0", "HTTP/1.9", "Host: h\r\n", "Host:", "Content-Length: 5\r\n",
        "Content-Length: 00\r\n",
        "Transfer-Encoding: chunked\r\n", "chunked", "close", "keep-alive", "Connection: close\r\n", "Expect: 100-continue\r\n",
        "100-continue", "GET ", "X: y\r\n", " z\r\n", "X:\r\n",
        "application/json", ";q=0", "xxxxxxxxxxxxxxxx", "[::1]", "..", "CONNECT ", "OPTIONS ",
    ].map { [UInt8](latin1: $0) }

    static func next(_ random: inout SplitMix64) -> [UInt8] {
        var head = random.one(of: seeds)
        for _ in 0..<random.number(1...4) { mutate(&head, &random) }
        return head
    }

    private static func mutate(_ head: inout [UInt8], _ random: inout SplitMix64) {
        let place = random.below(max(1, head.count))
        let end = min(head.count, place + random.number(1...6))
        switch random.below(8) {
        case 0 where !head.isEmpty: head[place] = random.byte()
        case 1 where !head.isEmpty: head[place] ^= 0x20
        case 2: head.removeSubrange(min(place, head.count)..<end)
        case 3: head.insert(contentsOf: head[min(place, head.count)..<end], at: place)
        case 4: duplicateLine(&head, &random)
        default: head.insert(contentsOf: random.one(of: tokens), at: min(place, head.count))
        }
    }

    private static func duplicateLine(_ head: inout [UInt8], _ random: inout SplitMix64) {
        var lines = head.split(separator: 0x0A, omittingEmptySubsequences: false)
        let line = random.one(of: lines)
        lines.insert(line, at: random.below(lines.count))
        head = Array(lines.joined(separator: [0x0A]))
    }
}
