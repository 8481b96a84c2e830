import Control
import CoreMetrics
import Synchronization

/// What this program's parts and libraries report through swift-metrics, for the exposition.
///
/// Counters become `…_total`, timers summaries `…_seconds`, recorders and meters gauges; dots become underscores.
final class MetricsRegistry: MetricsFactory, Sendable {
    /// Series that are kept apart; a library that makes more is not followed further.
    private static let maximumSeries = 1000

    private struct Key: Hashable {
        let label: String
        let dimensions: [String]
    }

    private let series = Mutex<[Key: Series]>([:])

    /// All families, by name.
    var families: [MetricFamily] {
        let all = series.withLock { Array($0) }
        return Dictionary(grouping: all) { $0.value.name }.sorted { $0.key < $1.key }.compactMap { name, members in
            guard let kind = members.first?.value.kind else { return nil }
            let samples = members.sorted { $0.key.dimensions.lexicographicallyPrecedes($1.key.dimensions) }.flatMap { $0.value.samples }
            return MetricFamily(name, kind, Metric.help(of: name), samples)
        }
    }

    private func one(_ label: String, _ dimensions: [(String, String)], _ suffix: String, _ kind: MetricFamily.Kind) -> Series {
        let name = label.replacing(".", with: "_").replacing("-", with: "_") + suffix
        let key = Key(label: name, dimensions: dimensions.flatMap { [$0.0, $0.1] })
        return series.withLock { series in
            if let known = series[key] { return known }
            let new = Series(name: name, kind: kind, labels: dimensions.map { (name: $0.0.replacing(".", with: "_"), value: $0.1) })
            if series.count < MetricsRegistry.maximumSeries { series[key] = new }
            return new
        }
    }

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler { one(label, dimensions, "_total", .counter) }

    func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler { one(label, dimensions, "", .gauge) }

    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        one(label, dimensions, "", aggregate ? .summary : .gauge)
    }

    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler { one(label, dimensions, "_seconds", .summary) }

    // Series live as long as the process: their number is bounded, and a counter that went away would count from 0 again.
    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyMeter(_ handler: any MeterHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}
}

/// One series: a sum, and for summaries how many values it is of.
private final class Series: CounterHandler, MeterHandler, RecorderHandler, TimerHandler, Sendable {
    let name: String
    let kind: MetricFamily.Kind
    private let labels: [(name: String, value: String)]
    private let state = Mutex<(sum: Double, count: UInt64)>((0, 0))

    init(name: String, kind: MetricFamily.Kind, labels: [(name: String, value: String)]) {
        self.name = name
        self.kind = kind
        self.labels = labels
    }

    var samples: [MetricFamily.Sample] {
        let (sum, count) = state.withLock { $0 }
        guard kind == .summary else { return [.init(sum, labels: labels)] }
        return [.init(sum, suffix: "_sum", labels: labels), .init(Double(count), suffix: "_count", labels: labels)]
    }

    func increment(by amount: Int64) { state.withLock { $0.sum += Double(amount) } }
    func increment(by amount: Double) { state.withLock { $0.sum += amount } }
    func decrement(by amount: Double) { state.withLock { $0.sum -= amount } }
    func reset() { state.withLock { $0 = (0, 0) } }
    func set(_ value: Int64) { set(Double(value)) }
    func set(_ value: Double) { state.withLock { $0.sum = value } }
    func record(_ value: Int64) { record(Double(value)) }
    func record(_ value: Double) { kind == .summary ? add(value) : set(value) }
    func recordNanoseconds(_ duration: Int64) { add(Double(duration) / 1e9) }

    private func add(_ value: Double) {
        state.withLock { state in
            state.sum += value
            state.count += 1
        }
    }
}
