import Steering
import TLS

/// A key in the form that a scheme uses, and the one that takes over from it.
struct KeyPair<Key: Sendable>: Sendable {
    private let current: Key
    private let next: Key?
    private let switches: Int

    /// - Parameter make: nil for a key of which nothing can be made. Without a next one the current key goes on signing.
    init?(_ key: SigningKey, _ make: (SigningKey.Part) -> Key?) {
        guard let current = make(key.current) else { return nil }
        self.current = current
        next = key.next.flatMap(make)
        switches = key.switches
    }

    /// Lends the key that signs at this second.
    func lend<Value>(at second: Int, to body: (Key) -> Value) -> Value {
        if let next, second >= switches { return body(next) }
        return body(current)
    }
}
