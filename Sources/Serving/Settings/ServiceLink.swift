/// A variable that Kubernetes and older container engines put into every container for each service of its namespace, by the service's
/// name: a service called `balancer` makes `BALANCER_PORT=tcp://10.0.0.1:8000`, one called `db` makes `DB_PORT=tcp://…`.
enum ServiceLink {
    /// By the shape that Kubernetes documents (environment variables of services) and Docker documented for links.
    static func isOne(_ name: String, _ value: String) -> Bool {
        if ["tcp://", "udp://", "sctp://"].contains(where: value.hasPrefix) { return name.hasSuffix("_PORT") || hasPort(name) }
        return name.hasSuffix("_SERVICE_HOST") || name.contains(/_SERVICE_PORT(_[A-Z0-9_]+)?$/) || hasPort(name)
    }

    private static func hasPort(_ name: String) -> Bool { name.contains(/_PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/) }
}
