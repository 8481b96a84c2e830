import Foundation
import NIOCore
import Steering
import Synchronization

@testable import Probing

/// Name servers of a test.
final class Names: Sendable {
    enum Way: Sendable {
        case answers(LookUp.Answer)
        /// Until the test lets go.
        case hangs
    }

    private let ways: Mutex<[String: Way]>
    private let asked = Mutex<[String: Int]>([:])
    private let letGo = DispatchSemaphore(value: 0)

    init(_ ways: [String: Way]) { self.ways = Mutex(ways) }

    subscript(_ name: String) -> Way {
        get { ways.withLock { $0[name] } ?? .answers(.none) }
        set { ways.withLock { $0[name] = newValue } }
    }

    /// Ends all look-ups that hang.
    func release() {
        ways.withLock { ways in for (name, way) in ways { if case .hangs = way { ways[name] = .answers(.trouble("released")) } } }
        letGo.signal()
    }

    /// How often a name was looked up.
    func count(_ name: String) -> Int { asked.withLock { $0[name] ?? 0 } }

    func lookUp(_ question: LookUp.Question) -> LookUp.Answer {
        asked.withLock { $0[question.name, default: 0] += 1 }
        switch self[question.name] {
        case .answers(let answer): return answer
        case .hangs:
            letGo.wait()
            letGo.signal()
            return .trouble("released")
        }
    }

    /// The addresses of a text, which must be some.
    static func at(_ addresses: String...) -> Way { .answers(.addresses(addresses.compactMap { ClientAddress($0) })) }

    var resolver: Resolver { Resolver(allowsLinkLocal: false, on: Names.eventLoop) { self.lookUp($0) } }
}

extension Resolver {
    /// What a probe with this much time gets.
    func ask(_ name: String, _ family: Probe.Addresses = .any, patience: TimeAmount = .seconds(30), within: TimeAmount = .seconds(60))
        async throws -> [String]
    {
        try await addresses(of: name, family, patience: patience, until: .now() + within).get().map(\.description)
    }
}
