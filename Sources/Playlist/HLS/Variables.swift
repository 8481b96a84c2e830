/// Variables of a playlist: `EXT-X-DEFINE` (draft-pantos-hls-rfc8216bis §4.4.2.3), as far as they depend on it alone.
struct Variables {
    private var values: [[UInt8]: [UInt8]] = [:]

    mutating func define(_ list: ArraySlice<UInt8>) throws(Manifest.Refusal) {
        let attributes = try AttributeList(list)
        guard let name = try attributes.quoted("NAME"), let value = try attributes.quoted("VALUE"), values[name] == nil,
            !Variables.hasReference(value[...])
        else { throw .variables }
        values[name] = value
    }

    private static func hasReference(_ text: ArraySlice<UInt8>) -> Bool {
        var rest = text
        while let brace = rest.firstIndex(of: UInt8(ascii: "{")) {
            rest = rest[brace...].dropFirst()
            if rest.first == UInt8(ascii: "$") { return true }
        }
        return false
    }

    func substituted(_ line: ArraySlice<UInt8>) throws(Manifest.Refusal) -> ArraySlice<UInt8> {
        guard line.contains(UInt8(ascii: "{")), Variables.hasReference(line) else { return line }
        var result: [UInt8] = []
        var rest = line
        while let brace = rest.firstIndex(of: UInt8(ascii: "{")) {
            result += rest[..<brace]
            rest = rest[brace...]
            guard rest.dropFirst().first == UInt8(ascii: "$") else {
                result.append(rest.removeFirst())
                continue
            }
            guard let end = rest.firstIndex(of: UInt8(ascii: "}")), let value = values[Array(rest[(brace + 2)..<end])] else {
                throw .variables
            }
            result += value
            rest = rest[(end + 1)...]
            if result.count > PlaylistLines.longest { throw .tooLarge }
        }
        return (result + rest)[...]
    }
}
