#if Inspector
/// A moment, as it is kept: in units of 2^30 attoseconds, about a nanosecond, since ``RequestEvent/start``.
///
/// The clock's own instant is of a size that the compiler does not know here: copying what has one in it would cost many times as
/// much. Nor is anything divided where requests wait for it.
struct Time: Sendable, Comparable {
    private let ticks: Int64

    init(_ duration: Duration) { ticks = Int64(truncatingIfNeeded: duration.attoseconds >> 30) }

    static func < (lhs: Time, rhs: Time) -> Bool { lhs.ticks < rhs.ticks }

    var microseconds: Int { Int((Int128(ticks) << 30) / 1_000_000_000_000) }
}
#endif
