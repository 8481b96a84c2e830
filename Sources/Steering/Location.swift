extension RoutingTable {
    /// Appends the `Location` of a decision: scheme, host and port from the catalog, path and query as they came.
    ///
    /// Only bytes 0x21…0x7E are written, whatever `source` holds; bytes that no URL may have are percent-encoded.
    ///
    /// - Parameter source: what `video.tail` counts in: the request's bytes, or the buffer they were decoded into.
    public func appendLocation(
        _ target: Decision.Target, _ video: VideoReference, of source: borrowing Span<UInt8>, to out: inout [UInt8]
    ) {
        let most = prefixes.longest + servers.keys.longest + domains.keys.longest + 2 + video.tail.count * 3
        out.append(addingCapacity: most) { output in
            switch target {
            case .origin:
                prefixes.append(0, to: &output)
                servers.keys.append(video.server, to: &output)
                output.append(UInt8(ascii: "."))
                domains.keys.append(video.domain, to: &output)
            case .cdn(let cdn):
                prefixes.append(cdn + 1, to: &output)
                servers.keys.append(video.server, to: &output)
            }
            if video.tail.isEmpty || source[video.tail.lowerBound] != UInt8(ascii: "/") { output.append(UInt8(ascii: "/")) }
            for index in video.tail { PercentEncoding.append(source[index], to: &output) }
        }
    }
}
