import Testing

@testable import Edge

extension SocketTests {
    /// Stopping loses no connection that was made before it.
    @Suite struct EdgeServerStopTests {
        @Test(arguments: [true, false])
        func `every request sent before stopping gets its answer`(usesFastPath: Bool) async throws {
            let server = try await SocketTests.server(usesFastPath: usesFastPath)
            let clients = try (0..<200).map { index in
                let client = try Client(to: server.address)
                try client.send(get("/\(index)"))
                return client
            }
            try await server.stopAccepting()
            let finished = Task { try await server.finish(within: 5) }
            try expectAnswers(clients)
            clients.forEach { $0.endOutput() }
            #expect(try await finished.value == 0)
        }

        @Test(arguments: [true, false])
        func `a connection made while draining gets an answer to what it sends after stopping`(usesFastPath: Bool) async throws {
            let server = try await SocketTests.server(usesFastPath: usesFastPath)
            try await server.drain()
            let clients = try (0..<200).map { _ in try Client(to: server.address) }
            try await server.stopAccepting()
            let finished = Task { try await server.finish(within: 5) }
            for (index, client) in clients.enumerated() { try? client.send(get("/\(index)")) }
            try expectAnswers(clients)
            clients.forEach { $0.endOutput() }
            #expect(try await finished.value == 0)
        }

        @Test(arguments: [true, false])
        func `an idle connection stays until its next answer, which ends it`(usesFastPath: Bool) async throws {
            let server = try await SocketTests.server(usesFastPath: usesFastPath)
            let clients = try (0..<10).map { _ in try Client(to: server.address) }
            for client in clients { #expect(try !client.ask(get("/a")).closes) }
            try await server.stopAccepting()
            #expect(throws: Client.Failure.self) { try Client(to: server.address) }
            let finished = Task { try await server.finish(within: 5) }
            for client in clients {
                let answer = try client.ask(get("/b"))
                #expect(answer["Location"] == atCDN("/b"))
                #expect(answer.closes)
                #expect(try client.rest() == [])
                client.endOutput()
            }
            #expect(try await finished.value == 0)
        }

        @Test(arguments: [true, false])
        func `what is still open when time runs out is cut and counted`(usesFastPath: Bool) async throws {
            let server = try await SocketTests.server(usesFastPath: usesFastPath)
            let clients = try (0..<3).map { _ in try Client(to: server.address) }
            for client in clients { _ = try client.ask(get("/a")) }
            try await server.stopAccepting()
            #expect(try await server.finish(within: 0) == 3)
            for client in clients { #expect(try client.rest() == []) }
        }

        private func expectAnswers(_ clients: [Client]) throws {
            var failures: [String: Int] = [:]
            for (index, client) in clients.enumerated() {
                do {
                    let answer = try client.answer()
                    if answer["Location"] != atCDN("/\(index)") { failures["wrong answer", default: 0] += 1 }
                } catch { failures["\(error)", default: 0] += 1 }
            }
            #expect(failures.isEmpty)
        }
    }
}
