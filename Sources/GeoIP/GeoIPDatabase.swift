public import Steering

/// A GeoIP database in MaxMind's format, compiled into a map of addresses: `Geography` is made of these.
///
/// The file is read once, whole. Nothing of it is looked at when a client asks: a request meets plain arrays, and whatever is wrong with
/// a file shows before it is used. The compiling takes about a second for a million networks.
public struct GeoIPDatabase: Sendable {
    public enum Kind: String, Sendable, CaseIterable {
        case country
        case asn
    }

    public let kind: Kind
    public let map: AddressMap
    /// What its maker calls it, such as `GeoLite2-Country`.
    public let type: String
    /// When it was made, in seconds since 1970-01-01 UTC.
    public let built: Int64

    /// Whether this program was built with the package trait `GeoIP`.
    public static var isSupported: Bool {
        #if GeoIP
        true
        #else
        false
        #endif
    }

    /// Reads the file at this path.
    ///
    /// - Throws: `GeoIPError` when it is missing, cut, broken, no such database, or has no field of this kind.
    public init(_ kind: Kind, path: String) throws(GeoIPError) {
        #if GeoIP
        let copy = try PrivateCopy(of: path)
        do throws(MaxMindFile.Fault) {
            let file = try MaxMindFile(copy.path)
            self.kind = kind
            map = try file.map(of: kind)
            type = file.type
            built = file.built
        } catch {
            throw GeoIPError(path: path, detail: error.detail)
        }
        #else
        throw GeoIPError(path: path, detail: "this program was built without the package trait GeoIP")
        #endif
    }
}
