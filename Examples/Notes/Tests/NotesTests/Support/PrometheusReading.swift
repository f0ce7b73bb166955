import Testing

/// Reads Prometheus' text format as strictly as it is defined: one line a sample, each below its type, none twice.
struct PrometheusReading {
    private(set) var samples: [String: Double] = [:]
    private(set) var kinds: [String: String] = [:]

    struct Malformed: Error { let line: Substring }

    init(_ text: String) throws {
        guard text.hasSuffix("\n") else { throw Malformed(line: text.suffix(40)) }
        let typeLine = #/# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)/#
        let labels =
            #/\{[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"(?:,[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*")*\}/#
        var family = ""
        for line in text.split(separator: "\n") {
            if let type = line.wholeMatch(of: typeLine) {
                family = String(type.1)
                guard kinds.updateValue(String(type.2), forKey: family) == nil else { throw Malformed(line: line) }
                continue
            }
            guard let space = line.lastIndex(of: " "), let value = Double(line[line.index(after: space)...]) else {
                throw Malformed(line: line)
            }
            let sample = line[..<space]
            let name = sample.prefix { $0 != "{" }
            let suffixes = kinds[family] == "histogram" ? ["_bucket", "_sum", "_count"] : [""]
            let rest = sample[name.endIndex...]
            guard suffixes.contains(where: { name == family + $0 }), rest.isEmpty || rest.wholeMatch(of: labels) != nil,
                samples.updateValue(value, forKey: String(sample)) == nil
            else { throw Malformed(line: line) }
        }
    }

    subscript(sample: String) -> Double? { samples[sample] }
}
