import TLS

/// Keys of tickets: those of a file that a fleet shares, else this process's own, which rotate.
struct TicketKeyFile {
    /// Nil: the keys are this balancer's own.
    let path: String?
    private(set) var keys = TicketKeys()
    /// When they came into use: by a clock that nobody sets, and in milliseconds since 1970-01-01 UTC.
    private var began: Duration
    private var loaded: Int64
    /// What the file was seen with last.
    private var seen: Result<[UInt8], TLSError>?
    /// Why that is not in use.
    private(set) var trouble: String?

    init(_ path: String?, uptime: Duration, now: Int64) {
        self.path = path
        began = uptime
        loaded = now
    }

    /// Takes over what was read of the file, if it is another than before.
    ///
    /// - Returns: whether the keys are others now.
    mutating func take(_ read: Result<[UInt8], TLSError>, now: Int64) throws(TLSError) -> Bool {
        guard let path, read != seen else { return false }
        seen = read
        do {
            keys = try TicketKeys(read.get(), at: path)
        } catch {
            trouble = "\(error)"
            throw error
        }
        loaded = now
        trouble = nil
        return true
    }

    /// Rotates the process's own keys when it is time.
    ///
    /// - Returns: whether the keys are others now.
    mutating func rotate(uptime: Duration, now: Int64) -> Bool {
        guard path == nil, uptime - began >= .seconds(TicketKeys.rotation) else { return false }
        began = uptime
        loaded = now
        keys = keys.rotated()
        return true
    }

    var report: TicketKeyReport {
        TicketKeyReport(file: path, generation: keys.generation, count: keys.count, loaded: loaded, trouble: trouble)
    }
}

/// Keys of tickets as `status` and metrics show them.
struct TicketKeyReport: Sendable, Equatable {
    /// Nil: they are this balancer's own.
    let file: String?
    /// Tells the key that seals from others; nothing in it is secret.
    let generation: String
    let count: Int
    /// Milliseconds since 1970-01-01 UTC.
    let loaded: Int64
    /// Why the file as it is now is not in use.
    let trouble: String?
}
