import Signing
import Steering
import Storage

/// All that a table is compiled from. Whoever learns something new hands it to the publisher, which makes the next table of the whole.
struct Inputs: Sendable {
    var published: Published {
        didSet { compilation += 1 }
    }
    /// What is known of clients.
    var geography: Geography {
        didSet { compilation += 1 }
    }
    /// What signs links, by name; nil without a folder of keys.
    var signingKeys: [String: SigningKey]? {
        didSet { compilation += 1 }
    }
    /// Signatures by private keys, whatever the catalog and the keys are: a text and a key have one.
    private let signatures = KeptSignatures()
    /// What the probes say; all up without probes.
    var health = Health.allUp
    /// CDNs that their players leave by themselves.
    var leftCDNs: Set<String> = []
    /// Balancers that live, this one included: they divide the caps.
    var nodes = 1
    /// Another number, another catalog to compile: health and nodes do not need that.
    private(set) var compilation = 0

    init(published: Published, geography: Geography) {
        self.published = published
        self.geography = geography
    }

    func compiled() -> CompiledCatalog {
        CompiledCatalog(
            published.catalog, geography: geography, zones: TimeZones(of: published.catalog),
            signers: Signers(published.catalog, keys: signingKeys, signatures: signatures))
    }

    func table(_ compiled: CompiledCatalog) -> RoutingTable {
        var health = health
        if compiled.catalog.failover.passive { health.leftCDNs = leftCDNs }
        return RoutingTable(compiled, revision: published.revision, health: health, nodes: nodes)
    }
}
