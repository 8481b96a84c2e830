/// A scrape of `/metrics`.
struct Metrics {
    /// Samples by name and labels as they are written: `balancer_redirects_total{target="cdn",cdn="a"}`.
    let samples: [String: Double]

    init(_ text: String) {
        var samples: [String: Double] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            guard let space = line.lastIndex(of: " ") else { continue }
            samples[String(line[..<space])] = Double(line[line.index(after: space)...])
        }
        self.samples = samples
    }

    subscript(sample: String) -> Double? { samples[sample] }

    var toOrigin: Double { samples["balancer_redirects_total{target=\"origin\",cdn=\"\"}"] ?? 0 }

    func toCDN(_ name: String) -> Double { samples["balancer_redirects_total{target=\"cdn\",cdn=\"\(name)\"}"] ?? 0 }

    func refusals(_ status: Int, _ reason: String) -> Double {
        samples["balancer_refusals_total{status=\"\(status)\",reason=\"\(reason)\"}"] ?? 0
    }
}
