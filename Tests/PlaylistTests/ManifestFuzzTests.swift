import Testing

@testable import Playlist

@Suite struct ManifestFuzzTests {
    @Test func `what libFuzzer has found keeps the promises`() throws {
        let property = ManifestProperty()
        for seed in try FuzzSeeds.read("manifests") { #expect(property.fault(seed) == nil) }
    }
}
