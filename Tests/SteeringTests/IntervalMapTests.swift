import Testing

@testable import Steering

@Suite struct IntervalMapTests {
    @Test func `a number has the value of the interval it is in`() {
        var map = IntervalMap<UInt8, Int>(all: 0)
        #expect(map.value(at: 0) == 0 && map.value(at: 255) == 0)
        map.begin(3, 1)
        map.begin(5, 2)
        map.begin(255, 3)
        #expect([0, 2, 3, 4, 5, 254, 255].map { map.value(at: $0) } == [0, 0, 1, 1, 2, 2, 3])
    }

    @Test func `equal neighbours are one interval, and the newest value of a number holds`() {
        var map = IntervalMap<UInt8, Int>(all: 0)
        map.begin(0, 7)
        map.begin(9, 7)
        map.begin(9, 7)
        #expect(map.starts == [0] && map.value(at: 9) == 7)
        map.begin(10, 1)
        map.begin(10, 2)
        #expect(map.starts == [0, 10] && map.value(at: 10) == 2 && map.value(at: 9) == 7)
    }
}
