import NIOCore
import Steering
import Testing

@testable import Probing

@Suite struct ResolverTests {
    private func failure(_ body: () async throws -> [String]) async throws -> Resolver.Failure {
        try #require(await #expect(throws: Resolver.Failure.self) { _ = try await body() })
    }

    @Test func `names that hang cost a good name nothing, however many they are`() async throws {
        let names = Names(["good": Names.at("192.0.2.1")])
        for number in 0..<200 { names["hangs-\(number)"] = .hangs }
        defer { names.release() }
        let resolver = names.resolver
        #expect(try await resolver.ask("good") == ["192.0.2.1"])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<200 {
                group.addTask { _ = try? await resolver.ask("hangs-\(number)", within: .milliseconds(50)) }
            }
            try await group.waitForAll()
        }
        names["good"] = Names.at("192.0.2.2")
        #expect(try await resolver.ask("good") == ["192.0.2.2"])
    }

    @Test func `up to 47 names that hang leave a thread to one that was never looked up`() async throws {
        let names = Names(["good": Names.at("192.0.2.1")])
        for number in 0..<47 { names["hangs-\(number)"] = .hangs }
        defer { names.release() }
        let resolver = names.resolver
        for number in 0..<47 { _ = try? await resolver.ask("hangs-\(number)", within: .milliseconds(1)) }
        #expect(try await resolver.ask("good") == ["192.0.2.1"])
    }

    @Test func `a name that hangs says so at the deadline, and is looked up once however often it is asked for`() async throws {
        let names = Names(["a": .hangs])
        defer { names.release() }
        let resolver = names.resolver
        for _ in 0..<3 {
            let failure = try await failure { try await resolver.ask("a", within: .milliseconds(20)) }
            #expect(failure.reason == "the name a could not be looked up in time: name servers do not answer" && !failure.isLocal)
        }
        #expect(names.count("a") == 1)
    }

    @Test func `what was found is used while a newer look-up hangs or fails`() async throws {
        let names = Names(["a": Names.at("192.0.2.1", "2001:db8::1")])
        defer { names.release() }
        let resolver = names.resolver
        let found = try await resolver.ask("a")
        #expect(found == ["192.0.2.1", "2001:db8::1"])
        for answer in [LookUp.Answer.trouble("name servers do not answer"), .local("too many open files")] {
            names["a"] = .answers(answer)
            #expect(try await resolver.ask("a") == found)
        }
        names["a"] = .hangs
        #expect(try await resolver.ask("a", patience: .milliseconds(20)) == found)
        #expect(names.count("a") == 4)
    }

    @Test func `a name that is gone is gone at once, and a machine that cannot ask says so`() async throws {
        let names = Names(["a": Names.at("192.0.2.1")])
        let resolver = names.resolver
        _ = try await resolver.ask("a")
        names["a"] = .answers(.none)
        #expect(try await failure { try await resolver.ask("a") }.reason == "the name a is not known")
        names["a"] = .answers(.local("too many open files"))
        let failure = try await failure { try await resolver.ask("a") }
        #expect(failure.isLocal && failure.reason == "the name a could not be looked up: too many open files")
    }

    @Test func `families are asked in turn, the machine's choice first, and no more than a bound`() async throws {
        let names = Names(["a": Names.at("2001:db8::1", "2001:db8::2", "192.0.2.1", "192.0.2.2", "192.0.2.3")])
        let resolver = names.resolver
        #expect(try await resolver.ask("a") == ["2001:db8::1", "192.0.2.1", "2001:db8::2", "192.0.2.2", "192.0.2.3"])
        names["a"] = .answers(.addresses((1...99).compactMap { ClientAddress("192.0.2.\($0)") }))
        #expect(try await resolver.ask("a").count == 16)
    }

    @Test func `of a name with one link-local address the others are asked`() async throws {
        let names = Names(["a": Names.at("169.254.169.254", "192.0.2.1"), "b": Names.at("169.254.169.254")])
        let resolver = names.resolver
        #expect(try await resolver.ask("a") == ["192.0.2.1"])
        #expect(try await failure { try await resolver.ask("b") }.reason.contains("which probes may not ask"))
    }

    @Test func `the machine's own look-up knows this machine, by family`() {
        let ask = { (family: Probe.Addresses) in LookUp.system(.init(name: "localhost", family: family)) }
        #expect(ask(.ipv4) == .addresses([ClientAddress(ipv4: 0x7F00_0001)]))
        if case .addresses(let addresses) = ask(.any) { #expect(!addresses.isEmpty) } else { Issue.record("\(ask(.any))") }
        #expect(LookUp.system(.init(name: "127.0.0.1", family: .ipv6)) == .none)
    }
}
