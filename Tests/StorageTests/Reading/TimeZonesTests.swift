import Steering
import Storage
import Testing

/// Hours of rules by the clocks of real zones, on the days on which these are changed. Expected values are Python's `zoneinfo`.
@Suite struct TimeZonesTests {
    struct Case: CustomTestStringConvertible {
        let zone: String
        let days: String
        let hours: (from: String, to: String)
        /// A day's first second, UTC.
        let start: Int
        /// How many of the minutes of this day and the next the rule holds, the first and the last.
        let minutes: (count: Int, first: Int?, last: Int?)

        var testDescription: String { "\(zone), \(days) \(hours.from) to \(hours.to), from \(start)" }

        init(
            _ zone: String, _ days: String, _ from: String, _ to: String, _ start: Int, _ count: Int, _ first: Int? = nil,
            _ last: Int? = nil
        ) {
            (self.zone, self.days, hours, self.start, minutes) = (zone, days, (from, to), start, (count, first, last))
        }
    }

    private func catalog(_ zone: String, _ days: String, from: String, to: String) throws -> Catalog {
        let hours = #"{"days": ["\#(days)"], "from": "\#(from)", "to": "\#(to)", "timeZone": "\#(zone)"}"#
        return try Catalog(
            Document(
                json: Array(
                    """
                    {"version": 1, "origin": {"domains": ["o"], "servers": ["s1"]}, "cdns": [{"name": "c", "url": "http://c"}],
                     "rules": [{"name": "r", "when": {"hours": \(hours)}, "every": 1}]}
                    """.utf8)))
    }

    private func isRuled(_ table: RoutingTable, _ second: Int, _ sequences: SequenceSet) -> Bool {
        table.explain("/s1/x", avoiding: nil, at: second, sequences: sequences).steps.contains { $0.text.hasPrefix("\"r\" is the first") }
    }

    @Test(arguments: [
        // 2027-03-28: 02:00 becomes 03:00.
        Case("Europe/Berlin", "sun", "02:00", "03:00", 1_806_105_600, 0),
        Case("Europe/Berlin", "sat", "19:00", "20:00", 1_806_105_600, 60, 1080, 1139),
        Case("Europe/Berlin", "sun", "19:00", "20:00", 1_806_105_600, 60, 2460, 2519),
        Case("Europe/Berlin", "sat", "23:00", "03:00", 1_806_105_600, 180, 1320, 1499),
        Case("Europe/Berlin", "sun", "02:30", "04:00", 1_806_105_600, 60, 1500, 1559),
        // 2027-10-31: 03:00 becomes 02:00.
        Case("Europe/Berlin", "sun", "02:00", "03:00", 1_824_854_400, 120, 1440, 1559),
        Case("Europe/Berlin", "sat", "23:00", "03:00", 1_824_854_400, 300, 1260, 1559),
        Case("Europe/Berlin", "sun", "02:30", "02:45", 1_824_854_400, 30, 1470, 1544),
        Case("America/New_York", "sun", "02:00", "03:00", 1_804_896_000, 0),
        Case("America/New_York", "sun", "01:00", "02:00", 1_825_459_200, 120, 1740, 1859),
        Case("America/New_York", "sat", "20:00", "21:00", 1_825_459_200, 60, 1440, 1499),
        // Half an hour.
        Case("Australia/Lord_Howe", "sun", "01:30", "02:00", 1_806_710_400, 60, 870, 929),
        Case("Australia/Lord_Howe", "sun", "02:00", "02:30", 1_822_435_200, 0),
        Case("Australia/Lord_Howe", "sun", "00:00", "24:00", 1_822_435_200, 1410, 810, 2219),
        // No summer time; a winter time in Ramadan; an hour that begins at midnight; no change at all.
        Case("Asia/Kolkata", "sun", "09:00", "10:00", 1_806_105_600, 60, 1650, 1709),
        Case("Africa/Casablanca", "sun", "02:00", "03:00", 1_801_872_000, 120, 1500, 1619),
        Case("Africa/Cairo", "fri", "00:00", "01:00", 1_808_956_800, 0),
        Case("UTC", "sun", "02:00", "03:00", 1_806_105_600, 60, 1560, 1619),
    ])
    func `hours go by the clocks of their zone on the days on which these are changed`(sample: Case) throws {
        let catalog = try catalog(sample.zone, sample.days, from: sample.hours.from, to: sample.hours.to)
        let table = RoutingTable(catalog, revision: 1, zones: TimeZones(of: catalog))
        #expect(table.zoneWarnings == [])
        let sequences = SequenceBook().set(for: table)
        let held = (0..<2880).filter { isRuled(table, sample.start + $0 * 60, sequences) }
        #expect(held.count == sample.minutes.count && held.first == sample.minutes.first && held.last == sample.minutes.last)
    }

    @Test func `summer time is known decades ahead, and the last offset holds from then on`() throws {
        let catalog = try catalog("Europe/Berlin", "wed", from: "12:00", to: "13:00")
        let table = RoutingTable(catalog, revision: 1, zones: TimeZones(of: catalog))
        let sequences = SequenceBook().set(for: table)
        // Wednesdays at 10:30 and 11:30 UTC: 2091-07-04, 2091-12-05 and 2020-07-01, in summer, winter, summer.
        #expect(isRuled(table, 3_834_383_400, sequences) && !isRuled(table, 3_834_387_000, sequences))
        #expect(!isRuled(table, 3_847_689_000, sequences) && isRuled(table, 3_847_692_600, sequences))
        #expect(isRuled(table, 1_593_599_400, sequences) && !isRuled(table, 1_593_603_000, sequences))
        for second in [Int.min, -1, 0, 5_000_000_000, Int.max] { _ = isRuled(table, second, sequences) }
    }

    @Test func `all faults are told at once, an unknown zone among them`() throws {
        let document = try catalog("Europe/Berln", "wed", from: "00:00", to: "24:00").document.replacing("surplus", with: .null)
        do throws(CatalogFaults) {
            _ = try Catalog(document, knowsZone: TimeZones.know)
            Issue.record("it was taken")
        } catch {
            #expect(error.faults.map(\.pointer) == ["/surplus", "/rules/0/when/hours/timeZone"])
        }
    }

    @Test(arguments: ["Europe/Berln", "europe/berlin", "Foo/Bar", "posix/Europe/Berlin"])
    func `a zone that is not known but stored matches nobody, and that is told`(zone: String) throws {
        #expect(!TimeZones.know(zone) && TimeZones.know("Europe/Berlin"))
        let catalog = try catalog(zone, "wed", from: "00:00", to: "24:00")
        let zones = TimeZones(of: catalog)
        let table = RoutingTable(catalog, revision: 1, zones: zones)
        #expect(
            table.zoneWarnings == [
                "rule \"r\" goes by the time zone \"\(zone)\", which this version of the program does not know: it matches nobody"
            ])
        let sequences = SequenceBook().set(for: table)
        // A Wednesday noon.
        #expect(!isRuled(table, 1_593_604_800, sequences))
        #expect(table.explain("/s1/x", avoiding: nil, at: 0, sequences: sequences).steps.contains { $0.about == "blind" })
    }
}
