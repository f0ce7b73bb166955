/// A moment on the continuous clock, in nanoseconds since something that is the same in the whole process.
///
/// `ContinuousClock.Instant` is of a size that the compiler does not know here, and counts in units of which a word holds too few:
/// to take, copy and subtract them costs several times as much.
package struct Moment: Sendable, Comparable {
    package let nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// The moment that it is now.
    package static var now: Moment { Moment(nanoseconds: continuousNanoseconds()) }

    /// How long it was until another one.
    package func duration(to other: Moment) -> Duration { .nanoseconds(other.nanoseconds - nanoseconds) }

    /// The moment after a time; the last there is, if that is too long.
    func advanced(by duration: Duration) -> Moment {
        Moment(nanoseconds: Int64(clamping: Int128(nanoseconds) + duration.attoseconds / 1_000_000_000))
    }

    package static func < (lhs: Moment, rhs: Moment) -> Bool { lhs.nanoseconds < rhs.nanoseconds }

    /// The same as the clock has it, to a microsecond; what lies between two is exact.
    var instant: ContinuousClock.Instant {
        let (instant, moment) = Self.known
        return instant.advanced(by: moment.duration(to: self))
    }

    /// A moment of which the instant is known.
    private static let known: (ContinuousClock.Instant, Moment) = {
        let tries = (0..<8).map { _ in
            let before = Moment.now
            let instant = ContinuousClock.now
            return (instant, before, gap: before.duration(to: .now))
        }
        // One that nothing came between.
        let best = tries.min { $0.gap < $1.gap } ?? (.now, .now, .zero)
        return (best.0, best.1)
    }()
}
