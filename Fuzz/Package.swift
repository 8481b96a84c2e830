// swift-tools-version: 6.2
import PackageDescription

// Fuzz targets: scripts/fuzz builds and runs them. A package of its own, because every module here is instrumented and tested from within.

let house: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .strictMemorySafety(),
]
/// The compiler counts edges for libFuzzer, and AddressSanitizer watches memory.
let instrumented = [SwiftSetting.unsafeFlags(["-sanitize=fuzzer,address", "-parse-as-library", "-enable-testing"])]
let withFuzzer = [LinkerSetting.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"])]

let package = Package(
    name: "video-balancer-fuzz",
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
    ],
    targets: [
        .target(name: "CFuzzer"),
        .target(name: "CLinux"),
        .target(name: "Steering", swiftSettings: house + instrumented),
        .target(name: "Playlist", swiftSettings: house + instrumented),
        // Instrumented in Swift; BoringSSL itself, which its own authors fuzz, is not.
        .target(name: "TLS", dependencies: [.product(name: "NIOSSL", package: "swift-nio-ssl")], swiftSettings: house + instrumented),
        .target(name: "TLSPeer", dependencies: [.product(name: "NIOSSL", package: "swift-nio-ssl")], swiftSettings: house),
        .target(
            name: "Edge",
            dependencies: [
                "CLinux", "Playlist", "Steering", "TLS",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: house + instrumented),
        .executableTarget(
            name: "FuzzRequests",
            dependencies: [
                "CFuzzer", "Edge", "Steering",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: house + instrumented, linkerSettings: withFuzzer),
        .executableTarget(
            name: "FuzzHTTP2",
            dependencies: ["CFuzzer", "Edge", "Steering", .product(name: "NIOCore", package: "swift-nio")],
            swiftSettings: house + instrumented, linkerSettings: withFuzzer),
        .executableTarget(
            name: "FuzzManifests", dependencies: ["CFuzzer", "Playlist"], swiftSettings: house + instrumented, linkerSettings: withFuzzer),
        .executableTarget(
            name: "FuzzRecords", dependencies: ["CFuzzer", "TLS", "TLSPeer"], swiftSettings: house + instrumented,
            linkerSettings: withFuzzer),
        .executableTarget(
            name: "FuzzVideos", dependencies: ["CFuzzer", "Steering"], swiftSettings: house + instrumented, linkerSettings: withFuzzer),
    ],
    swiftLanguageModes: [.v6]
)
