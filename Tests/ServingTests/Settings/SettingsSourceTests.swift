import Edge
import Steering
import Testing

@testable import Serving

struct SettingsSourceTests {
    private func source(
        _ environment: [String: String] = [:], _ file: String = "", flags: [String: String] = [:]
    ) throws -> SettingsSource {
        try SettingsSource(flags, environment: environment, file: EnvironmentFile(file, name: ".env"))
    }

    @Test func `a setting comes from the flag, else the environment, else the file, else its default`() throws {
        let file = "BALANCER_WORKERS=3"
        let environment = ["BALANCER_WORKERS": "2"]
        #expect(try source(environment, file, flags: ["workers": "1"]).text(\.workers) == "1")
        #expect(try source(environment, file, flags: [:]).text(\.workers) == "2")
        #expect(try source([:], file).text(\.workers) == "3")
        #expect(try source().text(\.workers) == "0")
    }

    @Test func `an unknown name is a fault, in the file with its line, also after export`() throws {
        let inFile = #expect(throws: ConfigurationFault.self) { _ = try source([:], "# x\r\nexport BALANCER_CLIENT_RAT=1\r\n") }
        #expect(inFile?.description.hasPrefix(".env:2: BALANCER_CLIENT_RAT is no setting") == true)
        let inEnvironment = #expect(throws: ConfigurationFault.self) { _ = try source(["BALANCER_FOO": "tcp"]) }
        #expect(inEnvironment?.description.hasPrefix("BALANCER_FOO is no setting") == true)
    }

    @Test func `export in the file has its effect`() throws {
        #expect(try source([:], "export BALANCER_CLIENT_RATE=1").text(\.clientRate) == "1")
    }

    /// What Kubernetes puts into a pod beside Services called balancer, db and cdn.
    @Test func `service links of Kubernetes are passed over`() throws {
        let links = [
            "BALANCER_SERVICE_HOST": "10.0.0.1", "BALANCER_SERVICE_PORT": "8000", "BALANCER_SERVICE_PORT_PLAYERS": "8000",
            "BALANCER_PORT": "tcp://10.0.0.1:8000", "BALANCER_PORT_8000_TCP": "tcp://10.0.0.1:8000", "BALANCER_PORT_8000_TCP_PROTO": "tcp",
            "BALANCER_PORT_8000_TCP_PORT": "8000", "BALANCER_PORT_8000_TCP_ADDR": "10.0.0.1", "DB_PORT": "tcp://10.0.0.2:3306",
        ]
        #expect(try source(links).variable("DB_PORT") == nil)
        #expect(try source(links, "DB_PORT=3307").variable("DB_PORT") == "3307")
        #expect(try source(links.merging(["DB_PORT": "3308"]) { $1 }).variable("DB_PORT") == "3308")
    }

    @Test(arguments: [["BALANCER_PORT": "8000"], ["BALANCER_SERVICE": "x"], ["BALANCER_PORT_X_TCP": "1"]])
    func `what only resembles a service link is a fault`(environment: [String: String]) {
        #expect(throws: ConfigurationFault.self) { _ = try source(environment) }
    }

    @Test(arguments: [("a,b", ["a", "b"]), ("a,b,", ["a", "b"]), (" a , b ,\n", ["a", "b"]), (",", []), ("", [])])
    func `a comma at the end of a list adds nothing`(text: String, entries: [String]) throws {
        #expect(SettingsSource.list(text) == entries)
    }

    @Test func `lists of hosts, servers and proxies may end in a comma`() throws {
        let source = try source([
            "CDN_HOST": "a.example.com,b.example.com,", "ORIGIN_SERVERS": "s1,", "ORIGIN_DOMAINS": "origin-cluster,",
            "BALANCER_TRUSTED_PROXIES": "10.0.0.0/8, ", "DB_HOST": "db1,db2,", "DB_NAME": "n", "DB_USER": "u",
        ])
        let catalog = try FirstCatalog(source).catalog()
        #expect(catalog.cdns.count == 2 && catalog.origin.servers == ["s1"] && catalog.origin.domains == ["origin-cluster"])
        #expect(try Settings(source).clientSource.trustedProxies.count == 1)
    }
}
