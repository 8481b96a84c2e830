import Foundation
public import Steering

extension TimeZones {
    /// What the program knows of the time zones that a catalog names: of its own, from ICU, which comes with it. The machine's tzdata is
    /// not looked at, so that all nodes with one version of the program know the same.
    ///
    /// Changes of clocks from 2020 to the end of 2099; the last offset holds from then on. Of a catalog without time zones nothing is loaded.
    /// A zone takes less than a millisecond.
    public init(of catalog: Catalog) {
        var offsets: [String: Offsets] = [:]
        for name in catalog.timeZones { offsets[name] = TimeZone(identifier: name).map(TimeZones.offsets) }
        self.init(offsets)
    }

    /// Whether the program knows a zone of this name, letter case included.
    public static func know(_ name: String) -> Bool { TimeZone(identifier: name) != nil }

    private static func offsets(_ zone: TimeZone) -> Offsets {
        // 2020-01-01 and 2100-01-01, UTC.
        var date = Date(timeIntervalSince1970: 1_577_836_800)
        let end = Date(timeIntervalSince1970: 4_102_444_800)
        let before = zone.secondsFromGMT(for: date) / 60
        var changes: [Change] = []
        while let next = zone.nextDaylightSavingTimeTransition(after: date), next > date, next < end {
            changes.append(Change(second: Int(next.timeIntervalSince1970), minutes: zone.secondsFromGMT(for: next) / 60))
            date = next
        }
        return Offsets(before: before, changes: changes)
    }
}
