/// What is measured in the text format of Prometheus, version 0.0.4.
struct PrometheusText {
    private(set) var text = ""

    init(_ registry: MetricsRegistry) {
        let (families, refused) = registry.content
        for (name, family) in families.sorted(by: { $0.key < $1.key }) {
            let series = family.series.sorted { $0.key < $1.key }.map { (labels: $0.key, content: $0.value.content) }
            switch family.kind {
            case .counter: add(name, "counter", series) { $0.value }
            case .gauge: add(name, "gauge", series) { $0.value }
            case .histogram(let bounds): addHistogram(name, bounds, series)
            }
        }
        text += "# TYPE metrics_refused_total counter\nmetrics_refused_total \(refused)\n"
    }

    private typealias Series = [(labels: String, content: MetricSeries.Content)]

    private mutating func add(
        _ name: String,
        _ type: String,
        _ series: Series,
        value: (MetricSeries.Content) -> Double
    ) {
        text += "# TYPE \(name) \(type)\n"
        for (labels, content) in series { addLine(name, labels, "\(value(content))") }
    }

    private mutating func addHistogram(_ name: String, _ bounds: [Double], _ series: Series) {
        text += "# TYPE \(name) histogram\n"
        for (labels, content) in series {
            var count = 0
            for (bound, inBucket) in zip(bounds.map { "\($0)" } + ["+Inf"], content.buckets) {
                count += inBucket
                addLine(name + "_bucket", labels + (labels.isEmpty ? "" : ",") + "le=\"\(bound)\"", "\(count)")
            }
            addLine(name + "_sum", labels, "\(content.sum)")
            addLine(name + "_count", labels, "\(content.count)")
        }
        let recorded = series.filter { $0.content.count > 0 }
        guard !recorded.isEmpty else { return }
        add(name + "_min", "gauge", recorded) { $0.least }
        add(name + "_max", "gauge", recorded) { $0.most }
    }

    private mutating func addLine(_ name: String, _ labels: String, _ value: String) {
        text += name + (labels.isEmpty ? "" : "{\(labels)}") + " \(value)\n"
    }

    // MARK: What may be written

    /// The name that stands for one of swift-metrics, of which other characters are allowed.
    static func name(_ label: String) -> String {
        let name = String(label.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
        return name.first?.isNumber == false ? name : "_" + name
    }

    /// Labels as they are written, with their values escaped.
    static func labels(_ labels: [(String, String)]) -> String {
        labels.map { label, value in "\(name(label))=\"\(escaped(value))\"" }.joined(separator: ",")
    }

    private static func escaped(_ value: String) -> String {
        var escaped = String.UnicodeScalarView()
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": escaped.append(contentsOf: #"\\"#.unicodeScalars)
            case "\"": escaped.append(contentsOf: #"\""#.unicodeScalars)
            case "\n": escaped.append(contentsOf: #"\n"#.unicodeScalars)
            default: escaped.append(scalar)
            }
        }
        return String(escaped)
    }
}
