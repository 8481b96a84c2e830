import Steering
import Storage

/// Valid catalogs that differ by a number.
enum Sample {
    /// - Parameter cdns: more make the catalog's text longer.
    static func catalog(_ number: Int, cdns: Int = 2) throws -> Catalog {
        try Catalog(
            .object([
                .init("version", .integer(1)),
                .init(
                    "origin",
                    .object([
                        .init("domains", .array([.string("origin-cluster")])),
                        .init("servers", .array([.string("s[1-99]")])),
                        .init("every", .integer(number)),
                    ])),
                .init(
                    "cdns",
                    .array(
                        (1...cdns).map { index in
                            .object([
                                .init("name", .string("cdn-\(index)")), .init("url", .string("http://cdn\(index).example.com/\(number)")),
                            ])
                        })),
            ]))
    }

    static func state(_ number: Int) throws -> SavedState {
        SavedState(
            databaseID: "0123456789abcdef0123456789abcdef", revision: number, catalog: try catalog(number),
            sequences: [
                SavedSequence(name: "all", redirects: UInt64(number) * 10, cdnBound: UInt64(number) * 9),
                SavedSequence(name: "server \"s1\"\n", redirects: .max, cdnBound: .max - 1),
            ])
    }
}
