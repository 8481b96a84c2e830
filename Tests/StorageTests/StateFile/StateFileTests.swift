import Foundation
import Glibc
import Steering
import Testing

@testable import Storage

@Suite struct StateFileTests {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private var file: StateFile { StateFile(path: scratch.path("state")) }

    @Test func `a first start has no state and nothing to complain of`() {
        #expect(file.load() == .init(state: nil, source: nil, passedOver: []))
    }

    @Test func `what was saved is loaded, numbers up to the largest`() throws {
        try file.save(Sample.state(4))
        #expect(file.load() == .init(state: try Sample.state(4), source: scratch.path("state"), passedOver: []))
    }

    @Test func `the node's id is kept; a file of a version without one has none, and what is no id is none`() throws {
        let state = try Sample.state(1)
        let id = FleetNode.makeID()
        for (node, kept) in [(id, id), (nil, nil), ("short", nil)] as [(String?, String?)] {
            let saved = SavedState(
                databaseID: state.databaseID, revision: 1, catalog: state.catalog, sequences: state.sequences, node: node)
            try file.save(saved)
            let loaded = file.load().state
            #expect(loaded?.node == kept)
            #expect(loaded?.sequences == state.sequences)
        }
    }

    @Test func `verdicts are kept, and none are none`() throws {
        let state = try Sample.state(1)
        let verdicts = ["cdn-1", "a \"name\"\n"].map {
            SavedVerdict(kind: "cdn", name: $0, reason: "connection refused", hasBeenGood: true, judged: 1_800_000_000_000)
        }
        for kept in [verdicts, []] {
            let saved = SavedState(
                databaseID: state.databaseID, revision: 1, catalog: state.catalog, sequences: state.sequences, verdicts: kept)
            try file.save(saved)
            #expect(file.load().state == saved)
        }
    }

    @Test func `one file saved again and again always holds the last state, and the one before beside it`() throws {
        let file = file
        for number in 1...5 {
            try file.save(Sample.state(number))
            #expect(try file.load().state == Sample.state(number))
            guard number > 1 else { continue }
            #expect(try StateFile(path: scratch.path("state.previous")).load().state == Sample.state(number - 1))
        }
        #expect(!scratch.exists("state.new"))
    }

    @Test func `sequences change without the catalog and the catalog without the sequences`() throws {
        let file = file
        let first = try Sample.state(1)
        let second = SavedState(databaseID: first.databaseID, revision: 1, catalog: first.catalog, sequences: [])
        let third = SavedState(databaseID: "other", revision: 2, catalog: try Sample.catalog(2), sequences: [])
        for state in [first, second, third, first] {
            try file.save(state)
            #expect(file.load().state == state)
        }
    }

    @Test func `files are for their owner alone`() throws {
        let file = file
        try scratch.write([], to: "state.new")
        try file.save(Sample.state(1))
        try file.save(Sample.state(2))
        for name in ["state", "state.previous"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: scratch.path(name))
            #expect(attributes[.posixPermissions] as? Int == 0o600)
        }
    }

    @Test func `a damaged file is passed over for the one before, and the reason is told`() throws {
        let file = file
        try file.save(Sample.state(1))
        try file.save(Sample.state(2))
        try scratch.write(Array(try scratch.bytes("state").dropLast(10)), to: "state")
        let loaded = file.load()
        #expect(try loaded.state == Sample.state(1))
        #expect(loaded.source == scratch.path("state.previous"))
        #expect(loaded.passedOver.map(\.description) == ["\(scratch.path("state")): its checksum does not match: it was cut or changed"])
    }

    @Test func `a file that is gone is told when there is one before it`() throws {
        let file = file
        try file.save(Sample.state(1))
        try file.save(Sample.state(2))
        try scratch.remove("state")
        let loaded = file.load()
        #expect(try loaded.state == Sample.state(1))
        #expect(loaded.passedOver.map(\.reason) == ["there is no such file"])
    }

    @Test func `a damaged file never pushes out the whole one before it`() throws {
        try file.save(Sample.state(1))
        try scratch.move("state", to: "state.previous")
        try scratch.write(Array("garbage".utf8), to: "state")
        let restarted = file
        #expect(try restarted.load().state == Sample.state(1))
        try restarted.save(Sample.state(2))
        #expect(try StateFile(path: scratch.path("state.previous")).load().state == Sample.state(1))
        #expect(try restarted.load().state == Sample.state(2))
    }

    @Test func `a kill between any two steps of a save leaves a state`() throws {
        // The folder as it is after each step: new written in part, new whole, old renamed, new renamed.
        let old = try Sample.state(1)
        let new = try Sample.state(2)
        func bytes(_ state: SavedState) -> [UInt8] { state.text(catalogText: state.catalog.document.json) }
        let steps: [([String: [UInt8]], SavedState)] = [
            (["state": bytes(old), "state.new": Array(bytes(new).prefix(100))], old),
            (["state": bytes(old), "state.new": bytes(new)], old),
            (["state.previous": bytes(old), "state.new": bytes(new)], old),
            (["state.previous": bytes(old), "state": bytes(new)], new),
        ]
        for (index, (files, expected)) in steps.enumerated() {
            let scratch = try Scratch()
            for (name, content) in files { try scratch.write(content, to: name) }
            let file = StateFile(path: scratch.path("state"))
            #expect(file.load().state == expected, "step \(index)")
            try file.save(new)
            #expect(file.load().state == new, "step \(index)")
        }
    }

    @Test func `1000 damaged copies never crash and never give another state`() throws {
        let state = try Sample.state(3)
        try file.save(state)
        let whole = try scratch.bytes("state")
        var generator = SeededGenerator(seed: 4)
        for round in 0..<1000 {
            var bytes = whole
            switch round % 4 {
            case 0: bytes[.random(in: 0..<bytes.count, using: &generator)] ^= 1 << Int.random(in: 0...7, using: &generator)
            case 1: bytes.removeLast(.random(in: 1...bytes.count, using: &generator))
            case 2: for _ in 0..<8 { bytes[.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator) }
            default: bytes.insert(.random(in: 0...255, using: &generator), at: .random(in: 0...bytes.count, using: &generator))
            }
            try scratch.write(bytes, to: "state")
            let loaded = file.load()
            guard bytes != whole else { continue }
            #expect(loaded.state == nil && loaded.passedOver.count == 1, "round \(round)")
        }
    }

    @Test func `every single cut is noticed`() throws {
        let whole = try Sample.state(3).text(catalogText: Sample.catalog(3).document.json)
        for length in 0..<whole.count {
            #expect(throws: SavedState.Unusable.self) { try SavedState(text: Array(whole[..<length])) }
        }
    }

    @Test(arguments: [
        ("{}", "it lacks databaseID"), ("[1]", "it lacks databaseID"), ("nonsense", "not valid JSON"),
        (#"{"databaseID":"a","revision":1,"catalog":{},"sequences":[]}"#, "/version: is missing"),
        (#"{"databaseID":"a","revision":1,"catalog":{},"sequences":[{"name":"all","redirects":"-1","cdnBound":"0"}]}"#, "a sequence lacks"),
        (#"{"databaseID":"a","revision":1e99,"catalog":{},"sequences":[]}"#, "it lacks databaseID"),
        (
            #"{"databaseID":"a","revision":1,"catalog":{},"sequences":[{"name":"a","redirects":"18446744073709551616","cdnBound":"0"}]}"#,
            "a sequence"
        ),
    ])
    func `a right checksum over a wrong content is passed over with the reason`(_ body: String, _ reason: String) throws {
        let text = "video-balancer-state 1 \(Checksum.sha256(of: body + "\n"))\n\(body)\n"
        try scratch.write(Array(text.utf8), to: "state")
        let loaded = file.load()
        #expect(loaded.state == nil)
        #expect(loaded.passedOver.first?.reason.contains(reason) == true, "\(loaded.passedOver)")
    }

    @Test func `a file of a later form is passed over`() throws {
        try scratch.write(Array("video-balancer-state 2 0\n{}\n".utf8), to: "state")
        #expect(file.load().passedOver.map(\.reason) == ["it does not begin with \"video-balancer-state 1\""])
    }

    @Test func `a file that is too long is not read`() throws {
        try scratch.write([UInt8](repeating: 0, count: StateFile.maximum + 1), to: "state")
        #expect(file.load().passedOver.first?.reason.contains("at most 16777216 are read") == true)
    }

    @Test func `a state that is too long to be read back is not written`() throws {
        let name = String(repeating: "n", count: StateFile.maximum)
        let state = SavedState(
            databaseID: "a", revision: 1, catalog: try Sample.catalog(1), sequences: [.init(name: name, redirects: 1, cdnBound: 1)])
        try file.save(Sample.state(1))
        let error = #expect(throws: StorageError.self) { try file.save(state) }
        #expect(error?.kind == .refused)
        #expect(try file.load().state == Sample.state(1))
    }

    @Test func `a pipe or a folder in the file's place is passed over without waiting`() throws {
        try scratch.makePipe("state")
        try FileManager.default.createDirectory(atPath: scratch.path("state.previous"), withIntermediateDirectories: false)
        let loaded = file.load()
        #expect(loaded.state == nil && loaded.passedOver.count == 2)
        #expect(loaded.passedOver.allSatisfy { $0.reason.contains("it is no regular file") })
    }

    @Test func `a pipe or a link in the new file's place is not written through`() throws {
        try scratch.makePipe("state.new")
        #expect(throws: StorageError.self) { try file.save(Sample.state(1)) }
        try scratch.remove("state.new")
        try scratch.write(Array("mine".utf8), to: "victim")
        try FileManager.default.createSymbolicLink(atPath: scratch.path("state.new"), withDestinationPath: scratch.path("victim"))
        let error = #expect(throws: StorageError.self) { try file.save(Sample.state(1)) }
        #expect(error?.kind == .cannotOpen)
        #expect(try scratch.bytes("victim") == Array("mine".utf8))
    }

    @Test func `a missing folder is named`() {
        let error = #expect(throws: StorageError.self) { try StateFile(path: scratch.path("no/state")).save(Sample.state(1)) }
        #expect(error?.kind == .cannotOpen && error?.detail == "its folder does not exist")
    }

    @Test func `two processes that save to one path cannot mix their bytes`() throws {
        // What another process in the middle of its save holds.
        let other = try OpenFile(scratch.path("state.new"), O_RDWR | O_CREAT)
        try other.lock()
        let error = #expect(throws: StorageError.self) { try file.save(Sample.state(1)) }
        #expect(error?.kind == .locked)
        #expect(try other.status().st_size == 0)
    }

    @Test func `saves from many threads leave one whole state`() async throws {
        let file = file
        await withTaskGroup(of: Void.self) { group in
            for number in 1...20 { group.addTask { #expect(throws: Never.self) { try file.save(Sample.state(number)) } } }
        }
        let state = try #require(file.load().state)
        #expect(try state == Sample.state(state.revision))
    }
}
