extension RoutingTable {
    /// Appends the `Location` of a decision: scheme, host and port from the catalog, path and query as they came. Where the catalog says that
    /// the origin speaks both schemes, the video's own is kept there.
    ///
    /// Only bytes 0x21…0x7E are written, whatever `source` holds; bytes that no URL may have are percent-encoded.
    ///
    /// - Parameter source: what `video.tail` counts in: the request's bytes, or the buffer they were decoded into.
    public func appendLocation(
        _ target: Decision.Target, _ video: VideoReference, of source: borrowing Span<UInt8>, to out: inout [UInt8]
    ) {
        switch target {
        case .origin:
            let prefix =
                switch video.scheme {
                case nil: 0
                case .http: 1
                case .https: 2
                }
            locationPrefixes.append(prefix, to: &out)
            servers.keys.append(video.server, to: &out)
            out.append(UInt8(ascii: "."))
            domains.keys.append(video.domain, to: &out)
        case .cdn(let cdn):
            locationPrefixes.append(cdn + 3, to: &out)
            servers.keys.append(video.server, to: &out)
        }
        if video.tail.isEmpty || source[video.tail.lowerBound] != UInt8(ascii: "/") { out.append(UInt8(ascii: "/")) }
        let tail = video.tail
        if URLByte.areTailBytes(source, tail) {
            // Read while it is borrowed; the range lies inside, as the look at its bytes has shown.
            unsafe source.withUnsafeBufferPointer { unsafe out.append(contentsOf: UnsafeBufferPointer(rebasing: $0[tail])) }
            return
        }
        out.append(addingCapacity: tail.count * 3) { output in
            for index in tail { PercentEncoding.append(source[index], to: &output) }
        }
    }
}
