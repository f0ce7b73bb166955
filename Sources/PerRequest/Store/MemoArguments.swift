/// The arguments of a memoized function.
@usableFromInline
class MemoArguments: @unchecked Sendable {
    /// The hash of the arguments, computed once: a user's `hash(into:)` must not be called under a lock.
    @usableFromInline let hash: Int

    @usableFromInline
    init(hash: Int) { self.hash = hash }

    /// Runs the arguments' `==`: not to be called under a lock.
    func isEqual(to other: MemoArguments) -> Bool { false }
}

/// Arguments of types that their memo knows.
@usableFromInline
final class MemoArgumentsOf<each Argument: Hashable & Sendable>: MemoArguments, @unchecked Sendable {
    private typealias Own = MemoArgumentsOf<repeat each Argument>

    @usableFromInline let arguments: (repeat each Argument)

    init(_ argument: repeat each Argument) {
        arguments = (repeat each argument)
        super.init(hash: Self.hash(repeat each argument))
    }

    @inlinable
    static func hash(_ argument: repeat each Argument) -> Int {
        var hash = 0
        for argument in repeat each argument { hash = hash &* 31 ^ argument.hashValue }
        return hash
    }

    @inlinable
    func isEqual(to other: repeat each Argument) -> Bool {
        for (own, other) in repeat (each arguments, each other) {
            if own != other { return false }
        }
        return true
    }

    override func isEqual(to other: MemoArguments) -> Bool {
        guard let other = other as? Own else { return false }
        return isEqual(to: repeat each other.arguments)
    }
}
