/// Where clients are, as far as the operator's GeoIP databases say it. Immutable: a newer database makes a new table.
public struct Geography: Sendable {
    /// `CountryCode.number` by address; nil without a database of countries.
    public var countries: AddressMap?
    /// Numbers of autonomous systems by address; nil without a database of them.
    public var asns: AddressMap?

    /// Without databases nothing is known.
    public init(countries: AddressMap? = nil, asns: AddressMap? = nil) {
        self.countries = countries
        self.asns = asns
    }

    /// Nil when it is not known.
    public func country(of client: ClientAddress) -> CountryCode? {
        countries.flatMap { CountryCode(number: $0.value(of: client)) }
    }

    /// The client's autonomous system; nil when it is not known.
    public func asn(of client: ClientAddress) -> UInt32? {
        asns.map { $0.value(of: client) }.flatMap { $0 == 0 ? nil : $0 }
    }
}

/// A number for every address, 0 where nothing is known. IPv4 stands apart, in a quarter of the memory and with fewer steps to an answer.
public struct AddressMap: Sendable {
    private var ipv4 = IntervalMap<UInt32, UInt32>(all: 0)
    private var ipv6 = IntervalMap<UInt128, UInt32>(all: 0)

    public init() {}

    /// From this IPv4 address on it is this value; called in the order of addresses.
    public mutating func begin(ipv4 address: UInt32, _ value: UInt32) { ipv4.begin(address, value) }

    /// From this IPv6 address on it is this value; called in the order of addresses. `::ffff:0:0/96` is never asked for here.
    public mutating func begin(ipv6 address: UInt128, _ value: UInt32) { ipv6.begin(address, value) }

    /// Allocates nothing.
    public func value(of client: ClientAddress) -> UInt32 {
        client.isIPv4 ? ipv4.value(at: UInt32(truncatingIfNeeded: client.low)) : ipv6.value(at: client.number)
    }

    /// Neighbours of one value count once.
    public var intervals: Int { ipv4.starts.count + ipv6.starts.count }
}

/// A country or territory by its two letters (ISO 3166-1 alpha-2). Which are assigned is the database's business.
public struct CountryCode: Sendable, Hashable, CustomStringConvertible {
    /// 1…676, in the order of the alphabet.
    public let number: UInt32

    /// How many numbers there are, 0 for none among them.
    static let numbers = 1 + 26 * 26

    /// Two letters from A to Z; nil for anything else.
    public init?(_ text: some StringProtocol) {
        let letters = text.utf8.map { UInt32($0) &- UInt32(UInt8(ascii: "A")) }
        guard letters.count == 2, letters.allSatisfy({ $0 < 26 }) else { return nil }
        number = 1 + letters[0] * 26 + letters[1]
    }

    /// Nil for 0 and for numbers that none has.
    init?(number: UInt32) {
        guard (1..<UInt32(CountryCode.numbers)).contains(number) else { return nil }
        self.number = number
    }

    public var description: String {
        String(decoding: [(number - 1) / 26, (number - 1) % 26].map { UInt8(ascii: "A") + UInt8($0) }, as: UTF8.self)
    }
}
