import Dispatch
import Glibc
import HTTPTypes
import Synchronization
import Testing

@testable import Control

@Suite struct ComputeQueueTests {
    /// What ran, in order.
    private final class Record: Sendable {
        private let names = Mutex<[String]>([])
        func note(_ name: String) { names.withLock { $0.append(name) } }
        var all: [String] { names.withLock { $0 } }
    }

    private let queue = ComputeQueue()
    private let record = Record()

    /// Returns once the work waits.
    private func add(_ name: String, key: String, _ urgency: ComputeQueue.Urgency = .read, to group: inout TaskGroup<Void>) async {
        let before = queue.count
        group.addTask { [queue, record] in try? await queue.run(for: key, urgency) { record.note(name) } }
        while queue.count == before { await Task.yield() }
    }

    /// Holds the thread until it is told to go on.
    private func hold(_ group: inout TaskGroup<Void>) async -> DispatchSemaphore {
        let (isHeld, mayGo) = (Record(), DispatchSemaphore(value: 0))
        group.addTask { [queue] in
            try? await queue.run(for: "holder") {
                isHeld.note("")
                mayGo.wait()
            }
        }
        while isHeld.all.isEmpty { await Task.yield() }
        return mayGo
    }

    @Test func `who asks without a pause waits behind who asks once, and a change goes first`() async {
        await withTaskGroup { group in
            let mayGo = await hold(&group)
            for number in 1...4 { await add("viewer \(number)", key: "viewer", to: &group) }
            await add("other 1", key: "other", to: &group)
            await add("other 2", key: "other", to: &group)
            await add("edit", key: "operator", .change, to: &group)
            mayGo.signal()
        }
        #expect(record.all == ["edit", "viewer 1", "other 1", "viewer 2", "other 2", "viewer 3", "viewer 4"])
        #expect(queue.count == 0)
    }

    @Test func `what computes gives way to the rest of the process`() async throws {
        let process = CInt(PRIO_PROCESS.rawValue)
        let nice = try await queue.run(for: "any") { getpriority(process, 0) }
        #expect(nice == min(19, getpriority(process, id_t(getpid())) + 5))
    }

    @Test func `a key that has too much waiting is refused, another is not`() async {
        await withTaskGroup { group in
            let mayGo = await hold(&group)
            for number in 0..<ComputeQueue.maximumOfKey { await add("\(number)", key: "a", to: &group) }
            let problem = await #expect(throws: Problem.self) { try await queue.run(for: "a") {} }
            #expect(problem?.status == .serviceUnavailable && problem?.headers.contains { $0.0 == .retryAfter } == true)
            await add("b", key: "b", to: &group)
            mayGo.signal()
        }
        #expect(record.all.count == ComputeQueue.maximumOfKey + 1)
        #expect(record.all[1] == "b")
    }

    @Test func `the sum over all keys is bounded`() async {
        await withTaskGroup { group in
            let mayGo = await hold(&group)
            for number in 0..<ComputeQueue.maximum { await add("", key: "\(number / 8)", to: &group) }
            await #expect(throws: Problem.self) { try await queue.run(for: "one more") {} }
            mayGo.signal()
        }
        #expect(record.all.count == ComputeQueue.maximum)
    }

    @Test func `a fault of the work is its caller's`() async throws {
        struct Fault: Error {}
        await #expect(throws: Fault.self) { try await queue.run(for: "a") { throw Fault() } }
        #expect(try await queue.run(for: "a") { 7 } == 7)
    }
}
