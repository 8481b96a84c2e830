import Logging
import Probing
import Steering
import Testing

@testable import Serving

@Suite struct CertificateLifeTests {
    private static let day: Int64 = 86_400

    @Test func `a certificate is ending for its last two weeks, or for the last third of a shorter life`() {
        func state(ofDays days: Int64, left: Int64) -> CertificateLife.State {
            CertificateLife(from: 0, until: days * Self.day).state(at: days * Self.day - left)
        }
        #expect(state(ofDays: 90, left: 14 * Self.day) == .good)
        #expect(state(ofDays: 90, left: 14 * Self.day - 1) == .ending)
        #expect(state(ofDays: 90, left: 1) == .ending)
        #expect(state(ofDays: 90, left: 0) == .expired)
        #expect(state(ofDays: 90, left: 91 * Self.day) == .notYet)
        #expect(state(ofDays: 6, left: 2 * Self.day) == .good)
        #expect(state(ofDays: 6, left: 2 * Self.day - 1) == .ending)
    }

    @Test func `days left are whole days`() {
        func days(_ seconds: Int64) -> Int { CertificateLife(from: 0, until: 1_000_000_000).daysLeft(at: 1_000_000_000 - seconds) }
        #expect(days(2 * Self.day) == 2)
        #expect(days(Self.day - 1) == 0)
        #expect(days(0) == 0)
        #expect(days(-1) == -1)
        #expect(days(-Self.day) == -1)
        #expect(days(-Self.day - 1) == -2)
    }

    @Test func `a reminder comes once a day and begins anew after a renewal`() {
        var reminder = CertificateReminder<Int>()
        let life = CertificateLife(from: 0, until: 90 * Self.day)
        func due(_ day: Int64, _ life: CertificateLife) -> Bool { reminder.isDue(1, life, at: day * Self.day + 5) }
        #expect([70, 75, 80, 80, 81, 81].map { due($0, life) } == [false, false, true, false, true, false])
        #expect(due(81, CertificateLife(from: 0, until: 300 * Self.day)) == false)
        #expect([81, 95, 95].map { due($0, life) } == [true, true, false])
        reminder.keep([2])
        #expect(due(95, life))
    }
}
