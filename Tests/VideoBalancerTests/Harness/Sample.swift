/// Catalogs and requests that the tests share.
enum Sample {
    static let link = "http://balancer-domain/?video=http://s1.origin-cluster/video/1488/xcg2djHckad.m3u8"
    static let target = "/?video=http://s1.origin-cluster/video/1488/xcg2djHckad.m3u8"
    static let atOrigin = "http://s1.origin-cluster/video/1488/xcg2djHckad.m3u8"
    static let atCDN = "http://cdn.example.com/s1/video/1488/xcg2djHckad.m3u8"

    /// A catalog in JSON with CDNs cdn-0, cdn-1, … of these weights.
    static func catalog(every: Int = 10, weights: [Int] = [100], status: Int = 301) -> String {
        let cdns = weights.enumerated().map { #"{"name":"cdn-\#($0)","url":"http://cdn-\#($0).example.com","weight":\#($1)}"# }
        return """
            {"version":1,"origin":{"domains":["origin-cluster"],"servers":["s[1-99]"],"every":\(every)},
             "cdns":[\(cdns.joined(separator: ","))],"redirect":{"status":\(status)}}
            """
    }

    /// Where an answer sends the player: `origin` or the host's first label, which is the name of a CDN of `catalog`.
    static func target(of location: String?) -> String {
        guard let location else { return "nowhere" }
        if location == atOrigin { return "origin" }
        let host = location.dropFirst("http://".count)
        return String(host.prefix { $0 != "." })
    }
}

/// How often each key came.
typealias Counts = [String: Int]

extension Counts {
    mutating func count(_ key: String) { self[key, default: 0] += 1 }

    static func sum(_ parts: [Counts]) -> Counts { parts.reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) } }
}
