import Storage
import Testing

@Suite struct DatabaseURLTests {
    @Test(arguments: [
        ("sqlite:/var/lib/b.db", "/var/lib/b.db"), ("sqlite:b.db", "b.db"), ("SQLite:./a b.db", "./a b.db"), ("sqlite:x:y?z", "x:y?z"),
    ])
    func `sqlite and a path is a file`(_ text: String, _ path: String) throws {
        #expect(try DatabaseURL(text) == .sqlite(path: path))
        #expect(try DatabaseURL(text).description == "sqlite:\(path)")
    }

    @Test(arguments: [
        "", "sqlite:", "sqlite:///var/b.db", "sqlite::memory:", "sqlite:file:b.db", "sqlite:/var/", "/var/b.db", "b.db", "sqlite:a\0b",
    ])
    func `what is no such URL is refused with the form to write`(_ text: String) {
        let error = #expect(throws: StorageError.self) { try DatabaseURL(text) }
        #expect(error?.kind == .badURL)
        #expect(error?.description.contains("write sqlite:PATH") == true)
    }

    @Test(arguments: [
        (
            "mysql://u:sEcr3t@h:3307/b",
            MySQLAddress(hosts: [.init(name: "h", port: 3307)], user: "u", password: "sEcr3t", name: "b")
        ),
        (
            "mariadb://u%40x:s%2Fc%3F%23%25:@h1,h2:1,[::1]:2,[fe80::1]/b",
            MySQLAddress(
                hosts: [.init(name: "h1"), .init(name: "h2", port: 1), .init(name: "::1", port: 2), .init(name: "fe80::1")], user: "u@x",
                password: "s/c?#%:", name: "b")
        ),
        ("MySQL://u@h/b", MySQLAddress(hosts: [.init(name: "h")], user: "u", password: "", name: "b")),
        ("mysql://u:a@b@h/b", MySQLAddress(hosts: [.init(name: "h")], user: "u", password: "a@b", name: "b")),
        (
            "mysql://u:p@h/b?tls=verify-identity&tls-ca=/etc/my%20ca.pem",
            MySQLAddress(
                hosts: [.init(name: "h")], user: "u", password: "p", name: "b", tls: .verifyIdentity, authorities: "/etc/my ca.pem")
        ),
        ("mysql://u:p@h/b?tls=required", MySQLAddress(hosts: [.init(name: "h")], user: "u", password: "p", name: "b", tls: .required)),
    ])
    func `mysql names user, password, hosts in order, database and TLS`(_ text: String, _ address: MySQLAddress) throws {
        #expect(try DatabaseURL(text) == .mysql(address))
    }

    @Test func `a described address has no password`() throws {
        let text = try DatabaseURL("mysql://u:sEcr3t@h1,[::1]:2/b?tls=required").description
        #expect(text == "mysql://u@h1:3306,[::1]:2/b")
    }

    @Test(arguments: [
        "mysql:u:sEcr3t@h/b", "mysql://sEcr3t/b", "mysql://u:a?b/sEcr3t@h/b", "mysql://h/b?password=sEcr3t@x", "mysql://:sEcr3t@h/b",
        "mysql://u:sEcr3t@/b", "mysql://u:sEcr3t@h", "mysql://u:sEcr3t@h/", "mysql://u:sEcr3t@h:0/b", "mysql://u:sEcr3t@h:65536/b",
        "mysql://u:sEcr3t@h:/b", "mysql://u:sEcr3t@h,/b", "mysql://u:sEcr3t@h h/b", "mysql://u:sEcr3t@[::1]x/b", "mysql://u:sEcr3t%@h/b",
        "mysql://u:sEcr3t%zz@h/b", "mysql://u:sEcr3t%ff@h/b", "mysql://u:sEcr3t%00@h/b", "mysql://u:sEcr3t@h/b?tls=on",
        "mysql://u:sEcr3t@h/b?tls-ca=x", "mysql://u:sEcr3t@h/b?tls=required&tls-ca=x", "mysql://u:sEcr3t@h/b?x=sEcr3t", "mysql://",
        "mysql:",
    ])
    func `a bad mysql URL is refused without a word of it`(_ text: String) {
        let error = #expect(throws: StorageError.self) { try DatabaseURL(text) }
        #expect(error?.kind == .badURL)
        #expect(error?.description.contains("sEcr3t") == false)
        #expect(error?.description.contains("database URL mysql://…") == true)
    }

    @Test(arguments: ["postgres://u:sEcr3t@h/b", "sEcr3t:x", "u sEcr3t@h:x"])
    func `a foreign URL is refused without its password`(_ text: String) {
        let error = #expect(throws: StorageError.self) { try DatabaseURL(text) }
        #expect(error?.kind == .badURL)
        #expect(error?.description.contains("sEcr3t") == false)
    }
}
