import Edge
import Testing

@testable import Serving

struct SettingTableTests {
    private func settings(_ flags: [String: String] = [:]) throws -> Settings {
        try Settings(SettingsSource(flags, environment: [:], file: EnvironmentFile("", name: ".env")))
    }

    @Test func `each setting has a name of its own and help, and what the table declares is found`() {
        #expect(Set(Setting.all.map(\.name)).count == Setting.all.count)
        #expect(Setting.all.first?.name == "listen" && Setting.all.last?.name == "log-level")
        #expect(Setting.all.allSatisfy { !$0.help.isEmpty && !$0.help.contains("{") })
    }

    @Test func `every default can be used, and limits have one`() throws {
        #expect(try settings().limits == Limits())
        for setting in Setting.all {
            switch setting.kind {
            case .number(let range): #expect(Int(setting.fallback).map(range.contains) == true, "\(setting.name)")
            case .choice(let words): #expect(words.contains(setting.fallback), "\(setting.name)")
            case .text, .list, .secret: break
            }
        }
    }

    @Test func `a number out of the range that help names is a fault that names it too`() {
        for setting in Setting.all {
            guard case .number(let range) = setting.kind else { continue }
            #expect(setting.help.contains(range.words), "\(setting.name)")
            let fault = #expect(throws: ConfigurationFault.self) { _ = try settings([setting.name: "\(range.upperBound + 1)"]) }
            #expect(
                fault?.description.contains("--\(setting.name) (\(setting.environment)) must be a whole number from \(range.words)") == true
            )
        }
    }

    @Test func `a word that is none of a setting's is a fault that lists them`() {
        let fault = #expect(throws: ConfigurationFault.self) { _ = try settings(["fast-path": "yes", "forwarded-field": "x"]) }
        #expect(
            fault?.description == """
                --fast-path (BALANCER_FAST_PATH) must be on or off, is "yes"
                --forwarded-field (BALANCER_FORWARDED_FIELD) must be x-forwarded-for or forwarded, is "x"
                """)
    }
}
