import Probing
public import Steering
public import Storage

/// What a running balancer knows of its targets, for whoever answers beside it.
extension SavedState {
    /// What is down, as a balancer believes it that starts from the file: nothing older than an hour.
    ///
    /// - Parameter now: milliseconds since 1970, UTC.
    public func health(of catalog: Catalog, now: Int64) -> Health {
        Remembered.health(verdicts.compactMap { $0.remembered(now: now) }, of: ProbeTarget.all(of: catalog))
    }
}
