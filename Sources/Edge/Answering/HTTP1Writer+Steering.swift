import Steering

extension HTTP1Writer {
    /// Writes the document of content steering; HLS and DASH have the same names in it. No state goes into a RELOAD-URI, which players
    /// resolve in different ways: the session is in the request.
    ///
    /// - Parameters:
    ///   - table: by which the list was made.
    ///   - second: seconds since 1970, UTC.
    mutating func write(_ steering: Answer.Steering, _ table: RoutingTable, _ framing: Framing, second: Int) {
        // Taken out for the calls: a copy would take a reference.
        var document: [UInt8] = []
        swap(&document, &self.document)
        document.removeAll(keepingCapacity: true)
        document.append(contentsOf: "{\"VERSION\":1,\"TTL\":".utf8)
        document.append(contentsOf: String(steering.list.ttl).utf8)
        document.append(contentsOf: ",\"PATHWAY-PRIORITY\":".utf8)
        steering.list.appendPathways(to: &document, table)
        document.append(UInt8(ascii: "}"))
        begin(200, framing, second: second)
        end(body: document, type: steering.format.contentType, framing)
        swap(&document, &self.document)
    }
}

extension SteeringList {
    /// Appends the names as a JSON list; no name of a catalog has a byte that a JSON string would escape.
    func appendPathways(to bytes: inout [UInt8], _ table: RoutingTable) {
        bytes.append(UInt8(ascii: "["))
        for position in 0..<count {
            bytes.append(contentsOf: (position == 0 ? "\"" : ",\"").utf8)
            switch self[position] {
            case .origin: bytes.append(contentsOf: "origin".utf8)
            case .cdn(let cdn): bytes.append(contentsOf: table.catalog.cdns[cdn].name.utf8)
            }
            bytes.append(UInt8(ascii: "\""))
        }
        bytes.append(UInt8(ascii: "]"))
    }
}
