import Testing

@testable import Serving

struct DeadlineTests {
    @Test func aCallThatNeverAnswersEndsAtItsDeadline() async {
        await #expect(throws: Deadline.Passed.self) {
            try await Deadline.result(within: .milliseconds(20)) {
                try await Task.sleep(for: .seconds(3600))
            }
        }
    }

    @Test func anAnswerInTimeIsReturned() async throws {
        #expect(try await Deadline.result(within: .seconds(60)) { 7 } == 7)
    }

    @Test func aFailureInTimeIsThrownAsItIs() async {
        struct Failure: Error {}
        await #expect(throws: Failure.self) {
            try await Deadline.result(within: .seconds(60)) { throw Failure() }
        }
    }
}
