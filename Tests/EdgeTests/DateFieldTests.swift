import Foundation
import Testing

@testable import Edge

@Suite struct DateFieldTests {
    @Test(arguments: [
        (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (-1, "Wed, 31 Dec 1969 23:59:59 GMT"),
        (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (951_868_800, "Wed, 01 Mar 2000 00:00:00 GMT"),
        (1_709_251_199, "Thu, 29 Feb 2024 23:59:59 GMT"), (2_147_483_648, "Tue, 19 Jan 2038 03:14:08 GMT"),
        (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"), (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
        (-2_203_891_200, "Thu, 01 Mar 1900 00:00:00 GMT"), (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
    ])
    func `a second has its date`(second: Int, text: String) { #expect(DateField.format(second) == text) }

    @Test func `random seconds of eight thousand years read as Foundation writes them`() {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        var random = SplitMix64(for: "dates")
        let day = 86_400
        for _ in 0..<2_000 {
            let second = random.number(-11_676_096_000...253_402_300_799)
            expectEqual(second, formatter)
        }
        for year in stride(from: 1904, through: 2200, by: 4) {
            let february28 = (year - 1970) * 365 * day + ((year - 1969) / 4 - (year < 1970 ? 1 : 0)) * day + 58 * day
            for offset in -2...3 { expectEqual(february28 + offset * day + random.below(day), formatter) }
        }
    }

    @Test func `the text is formatted anew only when the second changes, backwards too`() {
        var field = DateField()
        field.refresh(now: 784_111_777)
        #expect(String(decoding: field.bytes, as: UTF8.self) == "Sun, 06 Nov 1994 08:49:37 GMT")
        field.refresh(now: 784_111_777)
        #expect(String(decoding: field.bytes, as: UTF8.self) == "Sun, 06 Nov 1994 08:49:37 GMT")
        field.refresh(now: 784_111_776)
        #expect(String(decoding: field.bytes, as: UTF8.self) == "Sun, 06 Nov 1994 08:49:36 GMT")
    }

    @Test func `the clock tells the time of day in seconds`() {
        let difference = DateField.now() - Int(Date().timeIntervalSince1970)
        #expect(abs(difference) <= 2)
    }

    private func expectEqual(_ second: Int, _ formatter: DateFormatter) {
        let own = DateField.format(second)
        let other = formatter.string(from: Date(timeIntervalSince1970: TimeInterval(second)))
        if own != other { Issue.record("second \(second): \(own), Foundation \(other)") }
    }
}
