/// A value for every number, equal over long intervals: found by halving.
struct IntervalMap<Bound: FixedWidthInteger & UnsignedInteger & Sendable, Value: Equatable & Sendable>: Sendable {
    /// Where intervals begin, in order; the first is 0.
    private(set) var starts: [Bound] = [0]
    private var values: [Value]

    init(all value: Value) { values = [value] }

    /// From this number on it is this value. Called in the order of the numbers; the newest value of a number holds.
    mutating func begin(_ start: Bound, _ value: Value) {
        if starts[starts.count - 1] == start {
            values[values.count - 1] = value
        } else if values[values.count - 1] != value {
            starts.append(start)
            values.append(value)
        }
    }

    func value(at number: Bound) -> Value {
        var (low, high) = (0, starts.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if starts[middle] <= number { low = middle } else { high = middle }
        }
        return values[low]
    }
}
