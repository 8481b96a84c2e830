import Steering
import Testing

@testable import Edge

@Suite struct ConnectionTableTests {
    @Test func `a tag finds its descriptor until that is forgotten, and not the next connection of the same number`() {
        var table = ConnectionTable()
        let first = table.insert(Descriptor(owning: 70), of: .unknown, until: 5)
        #expect(table.descriptor(of: first) == 70)
        _ = table.remove(70).release()
        #expect(table.descriptor(of: first) == nil)
        let second = table.insert(Descriptor(owning: 70), of: .unknown, until: 5)
        #expect(second != first)
        #expect(table.descriptor(of: first) == nil)
        #expect(table.descriptor(of: second) == 70)
        #expect(table.count == 1)
    }

    /// The loop takes a descriptor that nobody owns out of its epoll set; taking out another connection's would silence that.
    @Test func `a late tag says whether another connection has the descriptor by now`() {
        var table = ConnectionTable()
        let first = table.insert(Descriptor(owning: 700), of: .unknown, until: 5)
        #expect(table.owner(of: first) == .connection(700))
        _ = table.remove(700).release()
        #expect(table.owner(of: first) == .nobody(700))
        let second = table.insert(Descriptor(owning: 700), of: .unknown, until: 5)
        #expect(table.owner(of: first) == .another)
        #expect(table.owner(of: second) == .connection(700))
        _ = table.remove(700).release()
    }

    @Test func `descriptors that were never taken in are nobody's`() {
        var table = ConnectionTable()
        #expect(table.count == 0)
        #expect(table.descriptor(of: 3) == nil)
        #expect(table.descriptor(of: 100_000) == nil)
        _ = table.insert(Descriptor(owning: 1000), of: .unknown, until: 5)
        #expect(table.descriptor(of: 3) == nil)
        _ = table.remove(1000).release()
        #expect(table.count == 0)
    }

    @Test func `deadlines expire after their second`() {
        var table = ConnectionTable()
        for descriptor in CInt(3)..<10 { _ = table.insert(Descriptor(owning: descriptor), of: .unknown, until: UInt32(descriptor)) }
        table.setDeadline(4, 100)
        _ = table.insert(Descriptor(owning: 20), of: .unknown, until: 0)
        #expect(table.expired(at: 1).isEmpty)
        #expect(table.expired(at: 6) == [3, 5, 20])
        #expect(table.all.count == 8)
    }

    /// With an idle timeout of a second, what had its answer at 10.99 s was closed at 11.00 s.
    @Test func `a connection stays for the whole of its last second`() {
        var table = ConnectionTable()
        _ = table.insert(Descriptor(owning: 70), of: .unknown, until: 10 + 1)
        #expect(table.expired(at: 11).isEmpty)
        #expect(table.expired(at: 12) == [70])
        _ = table.remove(70).release()
    }

    @Test func `a tag is never the listener's or the wake-up's`() {
        var table = ConnectionTable()
        for descriptor in [0, 1, 65_535] as [CInt] {
            let tag = table.insert(Descriptor(owning: descriptor), of: .unknown, until: 1)
            #expect(!ConnectionTable.listenerTags.contains(tag) && tag != ConnectionTable.wakeTag)
        }
    }
}
