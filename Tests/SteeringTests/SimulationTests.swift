import Testing

@testable import Steering

@Suite struct SimulationTests {
    private func play(_ selection: String, down: Set<String>, requests: Int = 4000) throws -> Simulation.Report {
        let document = Setup(every: 10, cdns: Setup.cdns(weights: [2, 1, 1])).document
            .setting("/selection", try Document(json: selection))
        var simulation = Simulation(try Catalog(document), health: Health(downCDNs: down), perSecond: 100, start: 0)
        for request in 0..<requests {
            let url = Array("http://s1.origin-cluster/film/\(request % 100)/x.m3u8".utf8)
            simulation.play(url.span, of: ClientAddress(ipv4: UInt32(request % 400) << 8))
        }
        return simulation.report
    }

    @Test func `what is played goes where the wire would send it`() throws {
        let report = try play(#"{"strategy": "weighted"}"#, down: [])
        #expect(report.toOrigin == 400 && report.toCDN == [1800, 900, 900])
        #expect(report.films == 100 && report.viewers == 400 && report.moved == 0)
        #expect((101...300).contains(report.fills))
    }

    @Test func `with hash a film lies on one CDN, and only the viewers of one that is down move`() throws {
        let whole = try play(#"{"strategy": "hash", "on": "viewer"}"#, down: [])
        let broken = try play(#"{"strategy": "hash", "on": "viewer"}"#, down: ["cdn-1"])
        #expect(whole.moved == 0)
        #expect(broken.toCDN[1] == 0)
        // Each tenth viewer is the origin's in every round.
        let expected = whole.toCDN[1] / (4000 / 400)
        #expect(broken.moved == expected, "\(broken.moved) of \(expected)")
        #expect(try play(#"{"strategy": "hash"}"#, down: []).fills <= 100)
    }

    @Test func `manifests that are served begin sessions, each N-th at the origin, and take no redirect's number`() throws {
        let document = Setup(every: 10, cdns: Setup.cdns(weights: [1, 1])).document
            .setting("/steering", try Document(json: #"{"enabled": true}"#)).setting("/delivery", .string("playlist"))
            .setting("/cdns/1/sign", try Document(json: #"{"scheme": "akamai", "key": "k"}"#))
        var simulation = Simulation(try Catalog(document), health: Health(downCDNs: ["cdn-1"]), perSecond: 100, start: 0)
        for request in 0..<300 {
            let url = Array("http://s1.origin-cluster/film/x.\(["m3u8", "ts", "mpd"][request % 3])".utf8)
            simulation.play(url.span, of: ClientAddress(ipv4: UInt32(request) << 8))
        }
        #expect(simulation.report.manifests == 100 && simulation.report.obstacles == ["signed-query": 100])
        // 100 sessions and 200 redirects, of each every tenth.
        #expect(simulation.report.toOrigin == 10 + 20 && simulation.report.toCDN == [270, 0])
    }

    @Test func `regression: what sessions ask in a log is passed over, and not refused as a server that nobody knows`() throws {
        func refused(_ document: Document) throws -> Simulation.Report {
            var simulation = Simulation(try Catalog(document), health: .allUp, perSecond: 1, start: 0)
            let steering = ["/steering/hls/s1/film/a.m3u8?session=1&_HLS_pathway=\"a\"", "/steering/dash/s1/a"]
            for url in steering + ["/session/17/s1/film/v.m3u8", "/session/17-1/s1/v.m3u8", "/session/x/v.m3u8", "/s1/x.ts"] {
                let bytes = Array(url.utf8)
                simulation.play(bytes.span, of: .unknown)
            }
            return simulation.report
        }
        let steered = Setup().document.setting("/steering", try Document(json: #"{"enabled": true}"#))
        let served = try refused(steered.setting("/delivery", .string("links")))
        #expect(served.passedOver == 4 && served.requests == 2 && served.refused == ["unknown-server": 1])
        // Where nothing is steered the wire refuses them too.
        #expect(try refused(Setup().document).refused == ["unknown-server": 5])
    }

    @Test func `what is refused is counted by its reason`() throws {
        var simulation = Simulation(try Catalog(Setup().document), health: .allUp, perSecond: 0, start: 0)
        for url in ["http://elsewhere/x", "/s1/x", "", "/nobody/x"] {
            let bytes = Array(url.utf8)
            simulation.play(bytes.span, of: .unknown)
        }
        #expect(simulation.report.refused == ["unknown-host": 1, "not-http": 1, "unknown-server": 1])
        #expect(simulation.report.requests == 4 && simulation.report.toCDN == [1])
    }
}
