import Control
import Edge
import Fetching
import Steering
import TLS

/// What a node has counted, as families of the exposition.
enum NodeMetrics {
    /// Scopes of sequences that are shown: a catalog can have ten thousand.
    private static let maximumScopes = 100

    static func edge(_ counters: Counters, _ catalog: Catalog) -> [MetricFamily] {
        let names = Set(catalog.cdns.map(\.name)).union(counters.redirectsToCDN.keys).sorted()
        let steered = Set(catalog.cdns.map(\.name)).union(counters.steeringToCDN.keys).sorted()
        let refusals = counters.refusals.sorted { ($0.key.status, $0.key.reason) < ($1.key.status, $1.key.reason) }
        return [
            Metric.redirects.family(
                [(["origin", ""], Double(counters.redirectsToOrigin))]
                    + names.map { (["cdn", $0], Double(counters.redirectsToCDN[$0] ?? 0)) }),
            Metric.reasons.family(Decision.Reason.allCases.map { ([$0.name], Double(counters.reasons[Int($0.rawValue)])) }),
            Metric.refusals.family(refusals.map { (["\($0.key.status)", $0.key.reason], Double($0.value)) }),
            Metric.answers.family(counters.answers.sorted { $0.key < $1.key }.map { (["\($0.key)"], Double($0.value)) }),
            Metric.steering.family(
                [(["origin", ""], Double(counters.steeringToOrigin))]
                    + steered.map { (["cdn", $0], Double(counters.steeringToCDN[$0] ?? 0)) }),
            Metric.steeringMoves.family(SteeringMove.allCases.map { ([$0.name], Double(counters.steeringMoves[$0.rawValue])) }),
            playersLeft(counters, catalog),
            Metric.steeringIgnored.family(Double(counters.steeringParametersIgnored)),
            Metric.manifests.family(
                [(["origin", ""], Double(counters.manifestsToOrigin))]
                    + Set(catalog.cdns.map(\.name)).union(counters.manifestsToCDN.keys).sorted().map {
                        (["cdn", $0], Double(counters.manifestsToCDN[$0] ?? 0))
                    }),
            Metric.mediaPlaylists.family(Double(counters.mediaPlaylists)),
            Metric.manifestRefusals.family(counters.manifestRefusals.sorted { $0.key < $1.key }.map { ([$0.key], Double($0.value)) }),
            Metric.signatures.family([
                (["hit"], Double(counters.signatures.hits)), (["miss"], Double(counters.signatures.misses)),
                (["refused"], Double(counters.signatures.refused)),
            ]),
            Metric.otherAnswers.family(Double(counters.otherAnswers)),
            Metric.accepted.family(Double(counters.connectionsAccepted)),
            Metric.open.family(Double(counters.connectionsOpen)),
            Metric.maximumOpen.family(Double(counters.connectionsLimit)),
            Metric.acceptPauses.family(counters.acceptPauses.sorted { $0.key < $1.key }.map { ([$0.key], Double($0.value)) }),
            Metric.idleEnded.family(Double(counters.idleConnectionsEnded)),
            Metric.handOvers.family(counters.handOvers.sorted { $0.key < $1.key }.map { ([$0.key], Double($0.value)) }),
            Metric.received.family(Double(counters.bytesReceived)),
            Metric.sent.family(Double(counters.bytesSent)),
            Metric.proxyHeaders.family(Double(counters.proxyHeadersRefused)),
            handshakes(counters.handshakes),
            Metric.handshakeFailures.family(
                TLSSession.Failure.allCases.map { ([$0.rawValue], Double(counters.handshakes.failed($0))) }),
            Metric.http2Connections.family(Double(counters.http2.connections)),
            Metric.http2Answers.family(Double(counters.http2.answers)),
            Metric.http2Refusals.family(HTTP2Refusal.allCases.map { ([$0.rawValue], Double(counters.http2.refused($0))) }),
            loopTurns(counters.loopTurns),
            Metric.longestTurn.family(Double(counters.loopTurns.longest) / 1e9),
        ]
    }

    private static func playersLeft(_ counters: Counters, _ catalog: Catalog) -> MetricFamily {
        let names = Set(catalog.cdns.map(\.name)).union(counters.avoidedCDN.keys).union(counters.leftCDN.keys).sorted()
        return Metric.playersLeft.family(
            names.flatMap { name in
                [
                    ([name, "avoid"], Double(counters.avoidedCDN[name] ?? 0)), ([name, "pathway"], Double(counters.leftCDN[name] ?? 0)),
                ]
            })
    }

    /// CDNs that count as down because their players leave them.
    static func left(_ table: RoutingTable) -> MetricFamily {
        let cdns = table.catalog.failover.passive ? table.catalog.cdns.map(\.name) : []
        return Metric.cdnLeft.family(cdns.map { ([$0], table.health.leftCDNs.contains($0) ? 1 : 0) })
    }

    private static func handshakes(_ counts: HandshakeCounts) -> MetricFamily {
        Metric.handshakes.family([
            (["1.2", "no"], Double(counts.full12)), (["1.2", "yes"], Double(counts.resumed12)),
            (["1.3", "no"], Double(counts.full13)), (["1.3", "yes"], Double(counts.resumed13)),
        ])
    }

    private static func loopTurns(_ turns: LoopTurns) -> MetricFamily {
        var below: UInt64 = 0
        var samples: [MetricFamily.Sample] = []
        for (count, bound) in zip(turns.buckets, LoopTurns.bounds.map { "\(Double($0) / 1e9)" } + ["+Inf"]) {
            below += count
            samples.append(.init(Double(below), suffix: "_bucket", labels: [("le", bound)]))
        }
        samples.append(.init(Double(turns.total) / 1e9, suffix: "_sum"))
        samples.append(.init(Double(below), suffix: "_count"))
        return MetricFamily(Metric.loopTurns.name, .histogram, Metric.loopTurns.help, samples)
    }

    static func sequences(_ book: SequenceBook) -> MetricFamily {
        Metric.sequences.family(book.snapshot.prefix(maximumScopes).map { ([$0.name], Double($0.redirects)) })
    }

    static func fetches(_ totals: Fetcher.Totals) -> [MetricFamily] {
        [
            Metric.manifestFetches.family(totals.fetches.sorted { $0.key < $1.key }.map { ([$0.key], Double($0.value)) }),
            Metric.manifestReuses.family([
                (["hit"], Double(totals.hits)), (["joined"], Double(totals.joined)), (["stale"], Double(totals.stale)),
            ]),
            Metric.manifestBytes.family(Double(totals.bytes)),
        ]
    }

    static func accessLog(_ totals: AccessLog.Totals) -> [MetricFamily] {
        [Metric.accessLines.family(Double(totals.written)), Metric.accessLinesDropped.family(Double(totals.dropped))]
    }
}
