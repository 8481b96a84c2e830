import Steering
import TLS

/// A key in the form that a scheme uses, and the one that takes over from it.
struct KeyPair<Key: Sendable>: Sendable {
    private let current: Key
    private let next: Key?
    private let switches: Int

    init(_ key: SigningKey, _ make: (Secret) -> Key) {
        current = make(key.current)
        next = key.next.map(make)
        switches = key.switches
    }

    /// Lends the key that signs at this second.
    func lend<Value>(at second: Int, to body: (Key) -> Value) -> Value {
        if let next, second >= switches { return body(next) }
        return body(current)
    }
}
