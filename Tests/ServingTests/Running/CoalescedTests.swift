import Synchronization
import Testing

@testable import Serving

struct CoalescedTests {
    /// Regression: thousands of SIGHUP filled the queue of the database, and the balancer said that the database does not answer.
    @Test func `who asks while a look is under way gets one more, with all the others`() async {
        let (started, start) = AsyncStream.makeStream(of: Void.self)
        let (gates, gate) = AsyncStream.makeStream(of: Void.self)
        let count = Mutex(0)
        let look = Coalesced {
            let number = count.withLock { count in
                count += 1
                return count
            }
            start.yield()
            if number == 1 { for await _ in gates { break } }
        }
        await withDiscardingTaskGroup { tasks in
            tasks.addTask { await look() }
            for await _ in started { break }
            for _ in 0..<1000 { await look() }
            #expect(count.withLock { $0 } == 1)
            gate.yield()
        }
        #expect(count.withLock { $0 } == 2)
        await look()
        #expect(count.withLock { $0 } == 3)
    }
}
