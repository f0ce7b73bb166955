import CoreMetrics
import Synchronization

/// Keeps in memory what is measured, for `/metrics`.
///
/// It keeps sums and not what they are made of, of so many metrics at most: the factory that swift-metrics has for tests keeps every value.
final class MetricsRegistry: MetricsFactory {
    /// The metrics of one name.
    struct Family {
        let kind: MetricSeries.Kind
        /// By their labels, as they are written.
        var series: [String: MetricSeries] = [:]
    }

    private struct State {
        var families: [String: Family] = [:]
        var refused = 0
    }

    private let state = Mutex(State())
    private let limit: Int

    /// - Parameter limit: How many metrics are kept, counting each with its labels. More are measured and not shown.
    init(limit: Int = 1000) {
        self.limit = limit
    }

    /// The metrics by their names, and how many more there would be.
    var content: (families: [String: Family], refused: Int) { state.withLock { ($0.families, $0.refused) } }

    /// The metric of a name and labels: the one that there is, or a new one.
    private func series(_ name: String, _ labels: [(String, String)], _ kind: MetricSeries.Kind) -> MetricSeries {
        let labels = PrometheusText.labels(labels)
        return state.withLock { state in
            let family = state.families[name] ?? Family(kind: kind)
            if family.kind == kind, let series = family.series[labels] { return series }
            let series = MetricSeries(kind)
            let count = state.families.values.reduce(0) { $0 + $1.series.count }
            if family.kind == kind, count < limit {
                state.families[name, default: family].series[labels] = series
            } else {
                state.refused += 1
            }
            return series
        }
    }

    private func remove(_ handler: AnyObject) {
        state.withLock { state in
            state.families = state.families.compactMapValues { family in
                let kept = family.series.filter { $0.value !== handler }
                return kept.isEmpty ? nil : Family(kind: family.kind, series: kept)
            }
        }
    }

    // MARK: What swift-metrics asks for

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(PrometheusText.name(label) + "_total", dimensions, .counter)
    }

    func makeFloatingPointCounter(label: String, dimensions: [(String, String)]) -> any FloatingPointCounterHandler {
        series(PrometheusText.name(label) + "_total", dimensions, .counter)
    }

    func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(PrometheusText.name(label), dimensions, .gauge)
    }

    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        let kind = aggregate ? MetricSeries.Kind.histogram(bounds: [1, 10, 100, 1000, 10_000, 100_000]) : .gauge
        return series(PrometheusText.name(label), dimensions, kind)
    }

    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        let bounds = [0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30]
        return series(PrometheusText.name(label) + "_seconds", dimensions, .histogram(bounds: bounds))
    }

    func destroyCounter(_ handler: any CounterHandler) { remove(handler) }
    func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { remove(handler) }
    func destroyMeter(_ handler: any MeterHandler) { remove(handler) }
    func destroyRecorder(_ handler: any RecorderHandler) { remove(handler) }
    func destroyTimer(_ handler: any TimerHandler) { remove(handler) }
}
