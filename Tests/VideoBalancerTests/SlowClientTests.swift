import Foundation
import Testing

/// Clients that say little or nothing, and stay.
@Suite(.serialized, .onThreads)
struct SlowClientTests {
    @Test func `beside 500 dripping clients a normal one is served; each gets 408 at its deadline, and no descriptor is left`() throws {
        let balancer = try Balancer(in: try Folder(), "--head-timeout", "1")
        defer { balancer.end() }
        for _ in 0..<20 { _ = try balancer.get(Sample.target) }
        try eventually("no open connection") { try balancer.metrics()["balancer_connections_open"] == 0 }
        let before = try balancer.openDescriptors()

        // A byte every tenth of a second never ends this head before a deadline that does not move.
        let head = Array("GET \(Sample.target) HTTP/1.1\r\nHost: b\r\nX-Slow: \(String(repeating: "z", count: 2000))\r\n\r\n".utf8)
        let slow = try (0..<500).map { _ in
            let connection = try balancer.connection()
            try connection.send(Array(head[..<60]))
            return connection
        }
        var dripped = 60
        var waiting = slow
        let normal = try balancer.connection()
        try eventually("408 for all", within: 60, every: 0.1) { () throws -> Bool in
            #expect(try normal.get(Sample.target).status == 301)
            #expect(try balancer.get(Sample.target).status == 301)
            waiting = waiting.filter { !$0.hasInput() }
            for connection in waiting { try? connection.send([head[dripped]]) }
            dripped += 1
            return waiting.isEmpty
        }
        for connection in slow {
            let answer = try connection.answer()
            #expect(answer.status == 408)
            #expect(answer.closes)
            #expect(answer["Content-Type"] == "application/problem+json")
        }
        #expect(try balancer.metrics().refusals(408, "head-timeout") == 500)
        try eventually("as many descriptors as before") { try balancer.openDescriptors() <= before + 1 }
        withExtendedLifetime(normal) {}
    }

    @Test func `a mute connection is closed without a word`() throws {
        let balancer = try Balancer(in: try Folder(), "--head-timeout", "1")
        defer { balancer.end() }
        let mute = try (0..<50).map { _ in try balancer.connection() }
        for connection in mute { #expect(try connection.rest() == "") }
        #expect(try balancer.metrics()["balancer_refusals_total{status=\"408\",reason=\"head-timeout\"}"] == nil)
        #expect(try balancer.get(Sample.target).status == 301)
    }

    @Test func `a body that drips is 408 at its deadline`() throws {
        let balancer = try Balancer(in: try Folder(), "--body-timeout", "1")
        defer { balancer.end() }
        let connection = try balancer.connection()
        try connection.send("POST /origin HTTP/1.1\r\nHost: b\r\nContent-Length: 1000\r\n\r\n{")
        try eventually("an answer", within: 30, every: 0.1) { () throws -> Bool in
            try? connection.send(" ")
            return connection.hasInput()
        }
        #expect(try connection.answer().status == 408)
    }

    @Test func `a connection that stays idle after an answer is closed at the idle timeout without a word`() throws {
        let balancer = try Balancer(in: try Folder(), "--idle-timeout", "1")
        defer { balancer.end() }
        let connection = try balancer.connection()
        #expect(try connection.get(Sample.target).status == 301)
        #expect(try connection.rest() == "")
        try eventually("no open connection") { try balancer.metrics()["balancer_connections_open"] == 0 }
    }

    @Test func `ten thousand short connections leave no descriptor and no open connection behind`() throws {
        let balancer = try Balancer(in: try Folder())
        defer { balancer.end() }
        _ = try concurrently(4) { _ in for _ in 0..<50 { _ = try balancer.get(Sample.target) } }
        let before = try balancer.openDescriptors()
        _ = try concurrently(4) { _ in
            for number in 0..<2500 {
                let connection = try balancer.connection()
                // Every tenth goes away in the middle of its request.
                if number % 10 == 0 { try connection.send("GET /?vid") } else { _ = try connection.get(Sample.target) }
            }
        }
        try eventually("no open connection") { try balancer.metrics()["balancer_connections_open"] == 0 }
        try eventually("as many descriptors as before") { try balancer.openDescriptors() <= before + 1 }
        let metrics = try balancer.metrics()
        #expect(metrics.toOrigin + metrics.toCDN("cdn.example.com") == 9200)
    }
}
