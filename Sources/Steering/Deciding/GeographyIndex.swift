/// Which rules a client's country and autonomous system satisfy. A sibling of `NetworkIndex`; a set for each country, and one for each
/// autonomous system that a rule names.
struct GeographyIndex: Sendable {
    /// Whether any rule asks; without one nothing is looked up.
    let isAsked: Bool
    // No optionals: unwrapping one here would retain its arrays for each request, on all workers' threads.
    private let countries: AddressMap
    private let asns: AddressMap
    /// By `CountryCode.number`, 0 for no country.
    private let countryPlaces: [Int]
    /// Autonomous systems that rules name are intervals of one number.
    private let asnPlaces: IntervalMap<UInt32, Int>

    init(_ rules: [Rule], _ geography: Geography, _ sets: inout RuleSets) {
        countries = geography.countries ?? AddressMap()
        asns = geography.asns ?? AddressMap()
        isAsked = rules.contains { !$0.when.countries.isEmpty || !$0.when.asns.isEmpty }
        let anyCountry = sets.set(rules.count) { rules[$0].when.countries.isEmpty }
        var byCountry = Array(repeating: anyCountry, count: CountryCode.numbers)
        let anyASN = sets.set(rules.count) { rules[$0].when.asns.isEmpty }
        var byASN: [UInt32: [UInt64]] = [:]
        for (rule, content) in rules.enumerated() {
            let bit: UInt64 = 1 << UInt64(rule % 64)
            for country in content.when.countries { byCountry[Int(country.number)][rule / 64] |= bit }
            for asn in content.when.asns { byASN[asn, default: anyASN][rule / 64] |= bit }
        }
        countryPlaces = byCountry.map { sets.place($0) }
        let base = sets.place(anyASN)
        var places = IntervalMap<UInt32, Int>(all: base)
        for (asn, set) in byASN.sorted(by: { $0.key < $1.key }) {
            places.begin(asn, sets.place(set))
            if asn < .max { places.begin(asn + 1, base) }
        }
        asnPlaces = places
    }

    /// Where the sets of the client's country and of its autonomous system begin. Allocates nothing.
    func places(of client: ClientAddress) -> (country: Int, asn: Int) {
        (countryPlaces[Int(countries.value(of: client))], asnPlaces.value(at: asns.value(of: client)))
    }
}
