import Logging
import Probing
import Steering
import Storage

/// What a balancer begins with: the first table, and all that it was compiled from.
struct Beginning {
    let inputs: Inputs
    let table: RoutingTable
    let book: SequenceBook
    let geoIP: GeoIPFiles
    let signingKeys: SigningKeyFiles
    /// What the last process knew of the probed.
    let remembered: [Remembered]

    /// - Parameter state: of the last process; nil at a first start.
    init(_ published: Published, _ state: SavedState?, _ settings: Settings, _ logger: Logger) async {
        book = SequenceBook(saved: (state?.sequences ?? []).map { ($0.name, $0.redirects, $0.cdnBound) })
        geoIP = GeoIPFiles(settings.geoIPPaths, logger: logger, now: { SystemClock.now() })
        _ = await geoIP.look()
        remembered = (state?.verdicts ?? []).compactMap { $0.remembered(now: SystemClock.now()) }
        var inputs = Inputs(published: published, geography: await geoIP.geography)
        signingKeys = SigningKeyFiles(settings.signingKeys, logger: logger, now: { SystemClock.now() })
        _ = await signingKeys.look()
        inputs.signingKeys = await signingKeys.keys
        inputs.health = Remembered.health(remembered, of: ProbeTarget.all(of: published.catalog))
        table = inputs.table(inputs.compiled())
        self.inputs = inputs
    }
}
