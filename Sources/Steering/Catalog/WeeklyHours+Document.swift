/// Hours in a catalog's document.
extension WeeklyHours {
    static let section = Section(
        WeeklyHours(days: Set(0..<7), from: 0, to: 1440, zone: .fixed(0)),
        [
            Key("days", \.dayList, .list(1...7, of: "days", day)),
            Key("from", \.from, time(1439)),
            Key("to", \.to, time(1440)),
            Key("timeZone", \.zoneName, zone.optional, .hidden),
            Key("utcOffset", \.offset, offset) {
                $0.zoneName == nil ? nil : "has no meaning beside timeZone; remove one of them"
            },
        ])

    private var dayList: [Int] {
        get { days.sorted() }
        set { days = Set(newValue) }
    }

    private var zoneName: String? {
        get { if case .named(let name) = zone { name } else { nil } }
        set { zone = newValue.map { .named($0) } ?? .fixed(0) }
    }

    private var offset: Int {
        get { if case .fixed(let minutes) = zone { minutes } else { 0 } }
        set { zone = .fixed(newValue) }
    }

    private static let day = Form<Int>(
        .choice(dayNames.map(Document.string)), hint: "one of \(dayNames.joined(separator: ", "))"
    ) {
        if case .string(let text) = $0 { dayNames.firstIndex(of: text) } else { nil }
    } write: {
        .string(dayNames[$0])
    }

    private static func time(_ last: Int) -> Form<Int> {
        .text("a time from \"00:00\" to \"\(text(last))\"") {
            minutes($0).flatMap { $0 <= last ? $0 : nil }
        } write: {
            text($0)
        }
    }

    private static let zone = Form<String>(.text, hint: "an IANA time zone such as \"Europe/Berlin\"") { document, pointer, reader in
        guard case .string(let name) = document, isZoneName(name) else {
            reader.note(pointer, "must be an IANA time zone such as \"Europe/Berlin\", is \(document.kind)")
            return nil
        }
        if !reader.knowsZone(name) {
            reader.note(pointer, "is \(document.kind), a time zone that this program does not know (letter case counts)")
        }
        return name
    } write: {
        .string($0)
    }

    /// `Area/Location` or `UTC`. Short names like `CET` and `GMT+3` mean different things to different programs.
    private static func isZoneName(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let isPlain = parts.allSatisfy { part in
            !part.isEmpty && part.allSatisfy { URLByte.isAlphanumeric($0) || $0 == 0x2B || $0 == 0x2D || $0 == 0x5F }
        }
        return text == "UTC" || (parts.count > 1 && isPlain && text.utf8.count <= 64)
    }

    private static let offset = Form<Int>.text(
        "an offset such as \"+03:00\"", rule: "an offset such as \"+03:00\", at most 14 hours"
    ) { text in
        guard let sign = text.first, sign == "+" || sign == "-", let minutes = minutes(text.dropFirst()), minutes <= 14 * 60 else {
            return nil
        }
        return sign == "-" ? -minutes : minutes
    } write: {
        ($0 < 0 ? "-" : "+") + text(abs($0))
    }
}
