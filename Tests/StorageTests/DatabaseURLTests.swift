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

    @Test(arguments: ["mysql://u:sEcr3t@h:3306/b", "mariadb://u:sEcr3t@h/b", "MySQL://u:a?b/sEcr3t@h/b", "mysql://h/b?password=sEcr3t@x"])
    func `mysql is recognised, refused, and its password is not repeated`(_ text: String) {
        let error = #expect(throws: StorageError.self) { try DatabaseURL(text) }
        #expect(error?.kind == .unsupported)
        #expect(error?.description.contains("sEcr3t") == false)
        #expect(error?.description.contains("mysql://…") == true || error?.description.contains("mariadb://…") == true)
    }

    @Test(arguments: ["postgres://u:sEcr3t@h/b", "sEcr3t:x", "u sEcr3t@h:x"])
    func `a foreign URL is refused without its password`(_ text: String) {
        let error = #expect(throws: StorageError.self) { try DatabaseURL(text) }
        #expect(error?.kind == .badURL)
        #expect(error?.description.contains("sEcr3t") == false)
    }
}
