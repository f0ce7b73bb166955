import Testing

@testable import PerRequest

@Suite("Moments")
struct MomentTests {
    @Test("lie on the clock of the language, between what it shows before and after, to a microsecond")
    func instants() {
        for _ in 0..<1_000 {
            let before = ContinuousClock.now
            let moment = Moment.now.instant
            let after = ContinuousClock.now
            #expect(before - .microseconds(1) <= moment)
            #expect(moment <= after + .microseconds(1))
        }
    }

    @Test("end at the last one, however long a time is added")
    func ends() {
        let now = Moment.now
        #expect(now.advanced(by: .seconds(3)) == Moment(nanoseconds: now.nanoseconds + 3_000_000_000))
        #expect(now.advanced(by: .seconds(Int64.max)) == Moment(nanoseconds: .max))
        #expect(now.duration(to: now.advanced(by: .seconds(Int64.max))) > .seconds(1_000_000_000))
        #expect(now.advanced(by: .seconds(-1)) < now)
    }

    @Test("are as far from each other as their instants, and never go back")
    func durations() {
        var last = Moment.now
        for _ in 0..<1_000 {
            let now = Moment.now
            #expect(last <= now)
            #expect(last.duration(to: now) == last.instant.duration(to: now.instant))
            last = now
        }
    }
}
