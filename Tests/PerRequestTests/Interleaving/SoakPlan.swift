import PerRequest

/// What one request of the soak does, decided by its seed before anything runs.
struct SoakPlan: Sendable {
    /// What a task does.
    indirect enum Step: Sendable {
        case pause(Pause)
        case get(Int)
        case use(Int, [Step])
        case exclusive(Int, [Step])
        case memo(Int, Int)
        case forget(Int, Int)
        case forgetAll(Int)
        case release(Int, RequestOutcome.Verdict)
        /// Opens a child store that owns resources, and perhaps the memos.
        case child(owning: Set<Int>, memos: Bool, [Step], fails: Bool)
        /// In a task that nobody waits for.
        case spawn([Step])
        /// Side by side.
        case together([[Step]])
        /// In a task that is cancelled after a pause.
        case cancelled([Step], after: Pause)
        case fail
    }

    enum Pause: Sendable {
        case yields(Int)
        case microseconds(Int)
    }

    /// How a function of `around` ends.
    enum End: Sendable {
        case asItShould
        /// It ends while its value is in use.
        case dies(after: Pause)
        case neverUses
        case usesTwice(after: Pause)
        /// It returns although `use` threw.
        case swallows
        /// It uses its value inside of a child store.
        case opensChild(owning: Set<Int>, [Step])
    }

    /// What the code of a key does in this request.
    struct Behavior: Sendable {
        var needs: [Step] = []
        var acquires = Pause.yields(0)
        var fails = false
        /// Whether its pauses end when the task is cancelled.
        var isCancellable = true
        var end = End.asItShould
        var isReleased: [Step] = []
        var releases = Pause.yields(0)
        var failsRelease = false
    }

    /// Of the resources, and then of the memos.
    var behaviors: [Behavior] = []
    var tasks: [(steps: [Step], isCancelledAfter: Pause?)] = []
    /// Whether limits of a millisecond are in force.
    var isTimed = false
    /// Whether no step releases early.
    var releasesAtPoints = false
    var limits = RequestLimits(beforeResponse: .seconds(90), afterResponse: .seconds(90))
    var beforeSettling = Pause.yields(0)
    var fails = false
    var settles = true
    var status = RequestStatus.http(200)
    var body: [Step] = []
    var ending = RequestOutcome.Ending.completed
    /// Nobody closes it.
    var isAbandoned = false
    var watching = SoakWatching.told
    /// What is to pass its time limit, in a run without a clock: numbers to choose by, and pauses.
    var overruns: [(choice: Int, after: Pause)] = []
}

// MARK: - Drawing one

/// Draws a plan.
struct SoakPlanner {
    private var random: SeededGenerator
    private let isTimed: Bool
    private let hasClock: Bool
    private let releasesAtPoints: Bool
    /// What this request uses: the fewer there are, the more often they meet.
    private let keys: [Int]

    /// What is released after the response, and then what is before, in the order in which one is built on another.
    private static let order = [0, 4, 1, 5, 2, 6, 3, 7]

    /// Draws the plan of a seed.
    ///
    /// - Parameter hasClock: Whether time passes: without, nothing sleeps and there are no limits.
    static func plan(_ seed: UInt64, hasClock: Bool) -> SoakPlan {
        var random = SeededGenerator(seed: seed &* 7_919 &+ (hasClock ? 1 : 0))
        let isTimed = hasClock && Int.random(in: 0..<100, using: &random) < 50
        let releasesAtPoints = Int.random(in: 0..<100, using: &random) < 35
        let keys = order.shuffled(using: &random).prefix(Int.random(in: 1...order.count, using: &random))
        var planner = SoakPlanner(
            random: random,
            isTimed: isTimed,
            hasClock: hasClock,
            releasesAtPoints: releasesAtPoints,
            keys: Array(keys)
        )
        var plan = planner.plan()
        plan.watching = SoakWatching(rawValue: seed % 3) ?? .told
        return plan
    }

    private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    private mutating func number(_ range: Range<Int>) -> Int { Int.random(in: range, using: &random) }

    private mutating func pause() -> SoakPlan.Pause {
        hasClock && chance(isTimed ? 35 : 10)
            ? .microseconds(number(0..<(isTimed ? 2_500 : 300))) : .yields(number(0..<5))
    }

    private mutating func key() -> Int { keys[number(0..<keys.count)] }

    private mutating func owned() -> Set<Int> {
        // What is built on an owned one is mostly owned too.
        let first = number(0..<SoakKeys.count)
        return Set(Self.order[first...].filter { _ in chance(60) })
    }

    private mutating func verdict() -> RequestOutcome.Verdict { chance(60) ? .commit : .rollback }

    private mutating func steps(_ count: Range<Int>, depth: Int) -> [SoakPlan.Step] {
        (0..<number(count)).map { _ in step(depth: depth) }
    }

    private mutating func step(depth: Int) -> SoakPlan.Step {
        let isLeaf = depth <= 0
        switch number(0..<(isLeaf ? 50 : 100)) {
        case 0..<18: return .get(key())
        case 18..<26: return .memo(number(0..<SoakKeys.memoCount), number(0..<2))
        case 26..<34: return .pause(pause())
        case 34..<36: return .forget(number(0..<SoakKeys.memoCount), number(0..<2))
        case 36..<38: return .forgetAll(number(0..<SoakKeys.memoCount))
        case 38..<49: return releasesAtPoints ? .get(key()) : .release(key(), verdict())
        case 49: return chance(20) ? .fail : .get(key())
        case 50..<62: return .use(key(), steps(0..<3, depth: depth - 1))
        case 62..<74: return .exclusive(key(), steps(0..<3, depth: depth - 1))
        case 74..<86:
            return .child(owning: owned(), memos: chance(30), steps(1..<4, depth: depth - 1), fails: chance(20))
        case 86..<91: return .spawn(steps(1..<3, depth: depth - 1))
        case 91..<96: return .together((0..<2).map { _ in steps(1..<3, depth: depth - 1) })
        default: return .cancelled(steps(1..<3, depth: depth - 1), after: pause())
        }
    }

    /// What a factory needs: mostly what is before it, which makes no cycles.
    private mutating func needs(of place: Int) -> [SoakPlan.Step] {
        var needs: [SoakPlan.Step] = []
        while chance(45), needs.count < 3 {
            let other = chance(10) ? key() : Self.order[number(0..<max(1, place))]
            switch number(0..<10) {
            case 0..<5: needs.append(.get(other))
            case 5: needs.append(.use(other, steps(0..<2, depth: 0)))
            case 6: needs.append(.exclusive(other, steps(0..<2, depth: 0)))
            case 7: needs.append(.memo(number(0..<SoakKeys.memoCount), number(0..<2)))
            case 8: needs.append(.child(owning: owned(), memos: chance(30), steps(1..<3, depth: 1), fails: chance(20)))
            default: needs.append(.spawn(steps(1..<3, depth: 1)))
            }
        }
        return needs
    }

    private mutating func behavior(at place: Int) -> SoakPlan.Behavior {
        var behavior = SoakPlan.Behavior()
        behavior.needs = needs(of: place)
        behavior.acquires = pause()
        behavior.fails = chance(12)
        behavior.isCancellable = chance(60)
        behavior.releases = pause()
        behavior.failsRelease = chance(12)
        if chance(10) { behavior.isReleased = steps(1..<3, depth: 0) }
        switch number(0..<20) {
        case 0, 1: behavior.end = .dies(after: pause())
        case 2: behavior.end = .neverUses
        case 3: behavior.end = .usesTwice(after: pause())
        case 4: behavior.end = .swallows
        case 5, 6, 7: behavior.end = .opensChild(owning: owned(), steps(0..<3, depth: 1))
        default: break
        }
        return behavior
    }

    private mutating func plan() -> SoakPlan {
        var plan = SoakPlan(isTimed: isTimed, releasesAtPoints: releasesAtPoints)
        plan.behaviors = Array(repeating: SoakPlan.Behavior(), count: SoakKeys.count + SoakKeys.memoCount)
        for (place, key) in Self.order.enumerated() { plan.behaviors[key] = behavior(at: place) }
        for memo in 0..<SoakKeys.memoCount { plan.behaviors[SoakKeys.count + memo] = behavior(at: 3) }
        for _ in 0..<number(1..<6) {
            plan.tasks.append((steps(1..<5, depth: 2), chance(20) ? pause() : nil))
        }
        if isTimed, chance(30) {
            plan.limits = RequestLimits(beforeResponse: .milliseconds(2), afterResponse: .milliseconds(2))
        }
        plan.beforeSettling = hasClock ? pause() : .yields(number(0..<25))
        plan.fails = chance(12)
        plan.settles = chance(80)
        plan.status = chance(10) ? .http(500) : .http(200)
        if chance(50) { plan.body = steps(1..<4, depth: 1) }
        if chance(25) { plan.ending = chance(50) ? .clientDisconnected : .failed(TestError()) }
        plan.isAbandoned = hasClock && chance(3)
        if !hasClock, chance(50) {
            plan.overruns = (0..<number(1..<8)).map { _ in (number(0..<1_000), .yields(number(0..<20))) }
        }
        return plan
    }
}
