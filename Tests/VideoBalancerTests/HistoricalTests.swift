import Testing

/// The examples that were documented once, as they were typed.
@Suite(.onThreads)
struct HistoricalTests {
    @Test(arguments: [Sample.link, Sample.atCDN])
    func `GET origin with the URL in a body that is nearly JSON redirects and answers in JSON`(url: String) throws {
        let folder = try Folder()
        let balancer = try Balancer(in: folder, environment: ["CDN_HOST": "cdn.example.com", "ORIGIN_EVERY": "2"])
        defer { balancer.end() }
        for (number, location) in [(1, Sample.atCDN), (2, Sample.atOrigin)] {
            let curl = try Command.run(
                [
                    "curl", "-sS", "-i", "--max-time", "20", "-X", "GET", "http://127.0.0.1:\(balancer.port)/origin",
                    "-H", "accept: application/json", "-H", "Content-Type: application/json", "-d", "{ \"\(url)\"}",
                ], in: folder)
            #expect(curl.code == 0, "\(curl)")
            var bytes = Array(curl.output.utf8)[...]
            let answer = try #require(try Answer.take(from: &bytes), "\(curl)")
            #expect(answer.status == 301)
            #expect(answer.location == location)
            #expect(answer["Content-Type"] == "application/json")
            #expect(answer["Cache-Control"] == "no-store")
            #expect(try answer.json("location") == location)
            #expect(try answer.json("target") == (number == 2 ? "origin" : "cdn"))
            #expect(try answer.json("sequence") == "\(number)")
        }
    }
}
