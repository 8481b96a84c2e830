#if MySQL
/// How long a server may take.
struct MySQLLimits: Sendable {
    var connectSeconds: UInt32 = 2
    /// Longer than Galera takes to give up a killed node (5 s by default): until then a commit waits. Shorter than a call, so that a thread
    /// is free again when its caller has given up.
    var readSeconds: UInt32 = 9
    var writeSeconds: UInt32 = 5
    /// Within it a statement that was rolled back, or whose outcome is in doubt, is run again.
    var patience = Duration.seconds(4)
    /// What a caller waits for in all, from the moment it asks.
    var call = Duration.seconds(10)
    /// After this long on another host than the first, the hosts are tried from the first again.
    var fallback = Duration.seconds(60)
    /// A session on a server that refuses changes is made anew after this long: its address may lead to another server by then.
    var recheck = Duration.seconds(2)
}
#endif
