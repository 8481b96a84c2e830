/// What the URLs of a film's server begin with at every target: `http://cdn.example.com/s1`. Looked up, since a catalog may have a thousand.
public struct Roots: Sendable, Equatable {
    /// Scheme and host in lower case, since they are the same in every letter case; the path is not.
    private let known: Set<[UInt8]>
    private let longest: Int

    public init(_ roots: some Sequence<[UInt8]>) {
        known = Set(roots.map { Roots.normalised($0[...]) })
        longest = known.reduce(0) { max($0, $1.count) }
    }

    /// What follows a target's root in an absolute URL: where roots lie within each other, the longest; nil at no target.
    public func path(of url: [UInt8]) -> ArraySlice<UInt8>? {
        let start = Roots.authorityEnd(url[...])
        let end = url.firstIndex { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") } ?? url.endIndex
        guard start < end else { return nil }
        let last = min(end, longest + 1)
        guard start < last else { return nil }
        for index in (start..<last).reversed() where url[index] == UInt8(ascii: "/") {
            if known.contains(Roots.normalised(url[..<index])) { return url[index...] }
        }
        return nil
    }

    /// The third slash, or the end.
    private static func authorityEnd(_ url: ArraySlice<UInt8>) -> Int {
        var slashes = 0
        for index in url.indices where url[index] == UInt8(ascii: "/") {
            slashes += 1
            if slashes == 3 { return index }
        }
        return url.endIndex
    }

    private static func normalised(_ root: ArraySlice<UInt8>) -> [UInt8] {
        let end = authorityEnd(root)
        return root[..<end].map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 } + root[end...]
    }
}
