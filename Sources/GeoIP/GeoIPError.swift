/// Why a GeoIP database is not taken.
public struct GeoIPError: Error, Equatable, CustomStringConvertible {
    public let path: String
    /// What is wrong, and what to do where that is not plain.
    public let detail: String

    public var description: String { "\(path): \(detail)" }
}
