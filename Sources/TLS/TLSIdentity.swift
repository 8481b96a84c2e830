/// What a server shows its clients: certificates, and tickets to come back with.
public struct TLSIdentity: Sendable {
    /// At least one; the first is for clients that name no server, or one that no certificate has.
    public var certificates: [ServerCertificate]
    public var tickets: TicketKeys

    public init(_ certificates: [ServerCertificate], tickets: TicketKeys = TicketKeys()) {
        self.certificates = certificates
        self.tickets = tickets
    }

    /// One for a worker.
    public func context(offersHTTP2: Bool = false) throws(TLSError) -> TLSContext {
        try TLSContext(certificates, tickets: tickets, offersHTTP2: offersHTTP2)
    }
}
