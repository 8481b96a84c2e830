import NIOCore
import Playlist
import Testing

@testable import Fetching

/// What is kept of what was fetched.
@Suite struct ManifestMemoryTests {
    private static let now = NIODeadline.uptimeNanoseconds(1_000_000_000)
    private static let refusal = ManifestMemory.Content.forAll(.refused(.media))

    private static func key(_ film: Int) -> [UInt8] { Array("film-\(film)".utf8) }

    private static func manifest(_ name: String = "720") throws -> ManifestMemory.Content {
        .forAll(try Sample.manifest(name, Sample.source([1])))
    }

    private static func keep(
        _ content: ManifestMemory.Content, _ film: Int, in memory: inout ManifestMemory, fresh: Int64 = 10, stale: Int64 = 60
    ) {
        memory.keep(content, key(film), fresh: now + .seconds(fresh), stale: now + .seconds(stale))
    }

    @Test func `it gives what is fresh, and counts it unless it is somebody's own`() throws {
        var memory = ManifestMemory(bytes: 100_000, count: 100)
        Self.keep(try Self.manifest(), 1, in: &memory)
        Self.keep(.forOne, 2, in: &memory)
        #expect(try memory.fresh(Self.key(1), Self.now) == Self.manifest())
        #expect(memory.fresh(Self.key(2), Self.now) == .forOne)
        #expect(memory.fresh(Self.key(3), Self.now) == nil)
        #expect(memory.fresh(Self.key(1), Self.now + .seconds(10)) == nil)
        #expect(memory.hits == 1)
        Self.keep(Self.refusal, 1, in: &memory)
        #expect(memory.fresh(Self.key(1), Self.now) == Self.refusal, "the last that was said")
    }

    @Test func `a manifest beyond its time is given while it may be, and is fresh for a while then`() throws {
        var memory = ManifestMemory(bytes: 100_000, count: 100)
        Self.keep(try Self.manifest(), 1, in: &memory, fresh: 0)
        Self.keep(Self.refusal, 2, in: &memory, fresh: 0)
        #expect(memory.fresh(Self.key(1), Self.now) == nil)
        #expect(memory.stale(Self.key(1), Self.now, keeping: 1) != nil)
        #expect(memory.fresh(Self.key(1), Self.now) != nil && memory.fresh(Self.key(1), Self.now + .seconds(1)) == nil)
        #expect(memory.stale(Self.key(1), Self.now + .seconds(60), keeping: 1) == nil)
        #expect(memory.stale(Self.key(2), Self.now, keeping: 1) == nil, "a refusal is none")
    }

    @Test func `it stays within its bounds in bytes and in number, and what is looked at stays`() throws {
        for (bytes, count) in [(40_000, 1000), (10_000_000, 50)] {
            var memory = ManifestMemory(bytes: bytes, count: count)
            for film in 0..<500 {
                Self.keep(try Self.manifest(), film, in: &memory)
                #expect(memory.fresh(Self.key(0), Self.now) != nil, "\(film)")
                #expect(memory.bytes <= bytes)
            }
            let kept = (0..<500).filter { memory.fresh(Self.key($0), Self.now) != nil }
            #expect(kept.count <= count && kept.count >= min(count, bytes / 1000) / 4, "\(kept.count)")
            #expect(kept.contains(499) && kept.contains(0) && !kept.contains(1))
        }
    }

    @Test func `what is forgotten is handed out, for the caller to let go of without the lock`() throws {
        var memory = ManifestMemory(bytes: 1_000_000, count: 20)
        for film in 0..<10 { Self.keep(Self.refusal, film, in: &memory) }
        #expect(memory.takeForgotten().isEmpty)
        for film in 10..<25 { Self.keep(Self.refusal, film, in: &memory) }
        #expect(!memory.takeForgotten().isEmpty)
        #expect(memory.takeForgotten().isEmpty)
    }

    @Test func `what has no room beside anything is not kept, and nothing is forgotten for it`() throws {
        var memory = ManifestMemory(bytes: 4000, count: 20)
        Self.keep(Self.refusal, 1, in: &memory)
        let long = Sample.playlist(String(repeating: "x", count: 3000))
        let manifest = try Manifest(Array(long.utf8), .hls, at: Manifest.Place(path: Array("/a".utf8), roots: Roots([])))
        Self.keep(.forAll(.manifest(manifest)), 2, in: &memory)
        #expect(memory.fresh(Self.key(2), Self.now) == nil && memory.fresh(Self.key(1), Self.now) == Self.refusal)
    }

    @Test func `its bytes are those of its entries after any changes`() throws {
        var memory = ManifestMemory(bytes: 20_000, count: 30)
        var random = SystemRandomNumberGenerator()
        for step in 0..<5000 {
            let film = Int.random(in: 0..<60, using: &random)
            switch Int.random(in: 0..<4, using: &random) {
            case 0: Self.keep(try Self.manifest(String(repeating: "y", count: step % 700 + 1)), film, in: &memory)
            case 1: Self.keep(Self.refusal, film, in: &memory)
            case 2: _ = memory.fresh(Self.key(film), Self.now)
            default: _ = memory.stale(Self.key(film), Self.now + .seconds(20), keeping: 1)
            }
            #expect(memory.bytes >= 0 && memory.bytes <= 20_000)
        }
        for film in 1000..<1060 { Self.keep(Self.refusal, film, in: &memory) }
        #expect(memory.bytes <= 30 * (9 + 256), "refusals alone are left")
    }
}
