import Steering

/// All that a table is compiled from. Whoever learns something new hands it to the publisher, which makes the next table of the whole.
struct Inputs: Sendable {
    var published: Published
    /// What the probes say; all up without probes.
    var health = Health.allUp
    /// What is known of clients.
    var geography: Geography
    /// Balancers that live, this one included: they divide the caps.
    var nodes = 1

    func table() -> RoutingTable {
        RoutingTable(published.catalog, revision: published.revision, health: health, nodes: nodes, geography: geography)
    }
}
