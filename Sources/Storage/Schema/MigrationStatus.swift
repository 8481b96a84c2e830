/// One step of the schema's history and whether the database has it.
public struct MigrationStatus: Sendable, Equatable {
    /// Counts up from 1.
    public let id: Int
    /// What the step does.
    public let name: String
    public let state: State

    public enum State: String, Sendable {
        case pending, applied
        /// A process was killed in the middle; `up` or `down` finishes it.
        case interrupted
    }
}
