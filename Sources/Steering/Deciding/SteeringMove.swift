/// Why a player is sent to another pathway than it says it uses.
public enum SteeringMove: Int, Sendable, CaseIterable {
    /// Its CDN does not work.
    case down
    /// Its CDN takes no traffic, or the rule leaves it out.
    case drained
    /// It asks to avoid its CDN.
    case avoided
    /// Another is its place: it has just begun, has changed by itself, is sent back, or weights were changed.
    case place

    public var name: String { "\(self)" }
}
