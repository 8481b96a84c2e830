// swift-tools-version: 6.2
import PackageDescription

let house: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "video-balancer",
    products: [
        .executable(name: "video-balancer", targets: ["VideoBalancer"])
    ],
    traits: [
        .trait(name: "MySQL", description: "The driver for MySQL and MariaDB; needs libmariadb."),
        .trait(name: "GeoIP", description: "Rules by country and autonomous system; needs libmaxminddb."),
        .default(enabledTraits: ["MySQL", "GeoIP"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        // Exactly: its C module is used by the target TLS.
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        // Its server alone: routes, keys and answers are tables of ours.
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: ["FullFoundation"]),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .target(name: "CLinux"),
        .systemLibrary(name: "CMariaDB", pkgConfig: "libmariadb", providers: [.apt(["libmariadb-dev"])]),
        .systemLibrary(name: "CMaxMindDB", pkgConfig: "libmaxminddb", providers: [.apt(["libmaxminddb-dev"])]),
        .target(name: "CDashboard", exclude: ["files"]),
        .target(name: "COpenAPI", exclude: ["control-plane.json", "data-plane.json"]),
        .target(name: "Steering", swiftSettings: house),
        .target(name: "Playlist", swiftSettings: house),
        .target(
            name: "Edge",
            dependencies: [
                "CLinux", "Playlist", "Steering", "TLS",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: house),
        .target(
            name: "Fetching",
            dependencies: [
                "Playlist", "Probing", "Steering",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPCompression", package: "swift-nio-extras"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: house),
        .target(
            name: "GeoIP",
            dependencies: ["CLinux", "Steering", .target(name: "CMaxMindDB", condition: .when(traits: ["GeoIP"]))],
            swiftSettings: house),
        .target(
            name: "Probing",
            dependencies: [
                "Steering",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: house),
        .target(name: "Signing", dependencies: ["Steering", "TLS"], swiftSettings: house),
        .target(name: "TLS", dependencies: [.product(name: "NIOSSL", package: "swift-nio-ssl")], swiftSettings: house),
        .target(
            name: "Storage",
            dependencies: [
                "Steering", "TLS",
                .target(name: "CMariaDB", condition: .when(traits: ["MySQL"])),
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: house),
        .target(
            name: "Control",
            dependencies: [
                "CLinux", "Steering", "Storage",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: house),
        .target(
            name: "Serving",
            dependencies: [
                "CDashboard", "CLinux", "COpenAPI", "Control", "Edge", "Fetching", "GeoIP", "Playlist", "Probing", "Signing", "Steering",
                "Storage", "TLS",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: house),
        .executableTarget(
            name: "VideoBalancer",
            dependencies: [
                "Control", "Edge", "GeoIP", "Serving", "Signing", "Steering", "Storage", "TLS",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: house),
        .target(
            name: "TLSPeer", dependencies: [.product(name: "NIOSSL", package: "swift-nio-ssl")], path: "Tests/TLSPeer", swiftSettings: house
        ),
        .testTarget(name: "SigningTests", dependencies: ["Signing", "Steering", "TLS"], swiftSettings: house),
        .testTarget(name: "PlaylistTests", dependencies: ["Playlist"], swiftSettings: house),
        .testTarget(
            name: "FetchingTests",
            dependencies: [
                "Fetching", "Playlist", "Steering",
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: house),
        .testTarget(name: "SteeringTests", dependencies: ["Steering"], swiftSettings: house),
        .testTarget(
            name: "TLSTests", dependencies: ["TLS", "TLSPeer", .product(name: "NIOSSL", package: "swift-nio-ssl")], swiftSettings: house),
        .testTarget(
            name: "ControlTests",
            dependencies: [
                "Control", "Steering", "Storage",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
            ],
            swiftSettings: house),
        .testTarget(
            name: "EdgeTests",
            dependencies: [
                "Edge", "Playlist", "Steering", "TLS", "TLSPeer",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: house),
        .testTarget(name: "GeoIPTests", dependencies: ["GeoIP", "Steering"], exclude: ["Databases"], swiftSettings: house),
        .target(name: "DatabaseServers", path: "Tests/DatabaseServers", swiftSettings: house),
        .testTarget(
            name: "ProbingTests",
            dependencies: [
                "Probing", "Steering",
                .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ],
            swiftSettings: house),
        .testTarget(
            name: "ServingTests",
            dependencies: [
                "Control", "Edge", "Probing", "Serving", "Signing", "Steering", "Storage", "TLS",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: house),
        .testTarget(
            name: "StorageTests",
            dependencies: ["DatabaseServers", "Steering", "Storage", .product(name: "GRDB", package: "GRDB.swift")],
            swiftSettings: house),
        .testTarget(name: "VideoBalancerTests", dependencies: ["DatabaseServers", "TLSPeer"], swiftSettings: house),
    ],
    swiftLanguageModes: [.v6]
)
