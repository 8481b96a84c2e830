import Testing

@testable import Serving

/// Expected values are docker compose's; what compose, systemd and shells read differently is refused.
struct EnvironmentFileTests {
    @Test(arguments: [
        ("A=1", "1"), ("A=1\r\nB=2\r\n", "1"), ("\u{FEFF}A=1\n", "1"), ("\n \n# note\nA=1", "1"), ("export A=1", "1"), ("A = 1 ", "1"),
        ("A=1 # note", "1"), ("A=1\t# note", "1"), ("A=1#2", "1#2"), ("A=", ""), ("A=a=b", "a=b"), ("A=a b", "a b"),
        (#"A="a b""#, "a b"), (#"A="a # b" # note"#, "a # b"), (#"A="a\"b\\c\n""#, "a\"b\\c\n"), (#"A="\$x""#, "$x"),
        ("A='a $b \\n'", "a $b \\n"), (#"A='it\'s'"#, "it's"), ("A=\"a\nb\"", "a\nb"), ("A=1\nA=2", "2"), ("A=pa$", "pa$"),
        ("A=a$1", "a$1"),
        ("A=a\\b", "a\\b"), ("A=\"1\"\r\n", "1"), ("A=s[1-5],ä", "s[1-5],ä"), (" export  A='x'  # y", "x"), ("A='#'", "#"),
    ])
    func `a value is read as docker compose reads it`(text: String, value: String) throws {
        #expect(try EnvironmentFile(text, name: ".env").values["A"] == value)
    }

    @Test(arguments: [
        ("A=1\nB", 2), ("A=1\nexport A", 2), ("=1", 1), ("A B=1", 1), ("\n\nA: x=1", 3), ("A='x", 1), ("A=1\nB=\"x\ny\n", 2),
        ("A='x' y", 1), (#"A="x""y""#, 1), ("A=$B", 1), ("A=x${B}", 1), ("A=\"x$B\"", 1), ("A=a$$b", 1), ("A= # note", 1), ("A=#x", 1),
        ("A=\"a\nb\"\nB", 3),
    ])
    func `a line that others read differently, or that is none, is refused with its number`(text: String, line: Int) {
        let fault = #expect(throws: ConfigurationFault.self) { _ = try EnvironmentFile(text, name: ".env") }
        #expect(fault?.description.hasPrefix(".env:\(line): ") == true, "\(fault?.description ?? "")")
    }

    @Test func `an absent file is empty, and a folder in its place is a fault`() throws {
        #expect(try EnvironmentFile(path: "/nowhere/.env").values.isEmpty)
        #expect(throws: ConfigurationFault.self) { _ = try EnvironmentFile(path: "/tmp") }
    }

    @Test func `a secret in a bad line is not shown`() {
        let fault = #expect(throws: ConfigurationFault.self) { _ = try EnvironmentFile("DB_PASS=geheim$wort", name: ".env") }
        #expect(fault?.description.contains("geheim") == false)
    }
}
