#if MySQL
/// How long a server may take.
struct MySQLLimits: Sendable {
    var connectSeconds: UInt32 = 2
    /// Longer than Galera takes to give up a killed node (5 s by default): until then a commit waits.
    var readSeconds: UInt32 = 12
    var writeSeconds: UInt32 = 5
    /// Within it a statement that was rolled back, or whose outcome is in doubt, is run again.
    var patience = Duration.seconds(4)
    /// After this long on another host than the first, the hosts are tried from the first again.
    var fallback = Duration.seconds(60)
}
#endif
