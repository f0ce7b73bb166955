import CoreMetrics
import Synchronization

/// One metric with its labels: a number, or the sums of all that was recorded.
///
/// It takes the same room however much is recorded.
final class MetricSeries: CounterHandler, FloatingPointCounterHandler, MeterHandler, RecorderHandler, TimerHandler {
    enum Kind: Hashable {
        case counter
        case gauge
        /// With the upper bounds of its buckets; there is one more, for what is above them.
        case histogram(bounds: [Double])
    }

    struct Content {
        /// What a counter or a gauge says.
        var value = 0.0
        var count = 0
        var sum = 0.0
        var least = Double.infinity
        var most = -Double.infinity
        /// How many were recorded in each bucket, not counting those in the buckets before.
        var buckets: [Int]
    }

    private let bounds: [Double]
    private let state: Mutex<Content>

    init(_ kind: Kind) {
        if case .histogram(let bounds) = kind { self.bounds = bounds } else { bounds = [] }
        state = Mutex(Content(buckets: Array(repeating: 0, count: bounds.count + 1)))
    }

    var content: Content { state.withLock(\.self) }

    // MARK: Counters and gauges

    func increment(by amount: Int64) { increment(by: Double(amount)) }

    func increment(by amount: Double) {
        guard amount.isFinite else { return }
        state.withLock { $0.value += amount }
    }

    func decrement(by amount: Double) { increment(by: -amount) }

    func set(_ value: Int64) { set(Double(value)) }

    func set(_ value: Double) { state.withLock { $0.value = value } }

    func reset() { set(0.0) }

    // MARK: Histograms

    func recordNanoseconds(_ duration: Int64) { record(Double(duration) / 1_000_000_000) }

    func record(_ value: Int64) { record(Double(value)) }

    /// Records a value; that of a recorder that does not aggregate is the last one.
    func record(_ value: Double) {
        guard value.isFinite else { return }
        let bucket = bounds.firstIndex { value <= $0 } ?? bounds.count
        state.withLock { content in
            content.value = value
            content.count += 1
            content.sum += value
            content.least = min(content.least, value)
            content.most = max(content.most, value)
            content.buckets[bucket] += 1
        }
    }
}
