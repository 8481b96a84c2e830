/// How a process's limit of open files (getrlimit(2), `RLIMIT_NOFILE`) is shared out.
///
/// A descriptor that cannot be had is refused to a client, which waits, but not to a database, a probe or a log; and libdispatch, which opens
/// files of /proc to watch its threads, ends the process. So the data plane and the admin port stop accepting before there is none left.
public struct DescriptorBudget: Sendable, Equatable {
    /// Most connections of the data plane.
    public let connections: Int
    /// Most connections of the admin port.
    public let adminConnections: Int

    /// Fewer are not worth a start.
    private static let minimumConnections = 64
    /// The fast loop's epoll and eventfd, the event loop's epoll, eventfd and timerfd; one connection that two workers accept at the same
    /// moment. Beside them stands a socket of each listener.
    private static let perWorker = 6
    /// An epoll, an eventfd and a timerfd of an event loop for the control plane and the probes.
    private static let perCore = 3

    /// - Parameters:
    ///   - limit: the soft limit.
    ///   - used: descriptors that are open already.
    ///   - listeners: of which each worker opens a socket.
    /// - Throws: `EdgeError` that says which limit is needed.
    public init(limit: Int, used: Int, workers: Int, listeners: Int, cores: Int) throws(EdgeError) {
        let threads = workers * (DescriptorBudget.perWorker + listeners) + cores * DescriptorBudget.perCore
        let budget = DescriptorBudget(shares: limit, used: used + threads)
        guard budget.connections >= DescriptorBudget.minimumConnections else {
            var needed = limit
            repeat {
                needed += 1
            } while DescriptorBudget(shares: needed, used: used + threads).connections < DescriptorBudget.minimumConnections
            throw EdgeError(
                "the limit of open files is \(limit), but \(workers) workers need at least \(needed); raise it with `ulimit -n`, "
                    + "LimitNOFILE or the container's ulimits, or lower --workers")
        }
        self = budget
    }

    private init(shares limit: Int, used: Int) {
        // Idle clients keep theirs for half a minute: an operator shall find a place beside a thousand of them.
        adminConnections = min(max(32, limit / 4), 4096)
        // Databases, probes, logs, state files, the runtime.
        let spare = min(max(64, limit / 8), 16_384)
        connections = limit - used - spare - adminConnections
    }
}
