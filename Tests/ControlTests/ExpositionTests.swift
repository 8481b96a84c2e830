import Control
import Testing

@Suite struct ExpositionTests {
    @Test func `families are written in the text format, label values escaped`() {
        let text = Exposition.text([
            MetricFamily("a_total", .counter, "Things.", [.init(3), .init(0.5, labels: [("cdn", "x\"y\\z\n"), ("target", "cdn")])]),
            MetricFamily("b", .gauge, "Empty.", []),
        ])
        #expect(
            text == """
                # HELP a_total Things.
                # TYPE a_total counter
                a_total 3
                a_total{cdn="x\\"y\\\\z\\n",target="cdn"} 0.5
                # HELP b Empty.
                # TYPE b gauge

                """)
    }
}
