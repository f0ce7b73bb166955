import Testing

@testable import PerRequest

/// What can happen in an enumeration.
struct LifecycleScenario: Sendable, CustomTestStringConvertible {
    /// A resource, which the root owns or a child.
    struct Resource: Sendable {
        var form = Lifecycle.Form.resource
        var point = ReleasePoint.afterResponse
        /// The child that owns it, by number; `nil` for the root.
        var owner: Int?
        /// The resources that its factory, its function and its release may ask for, and how.
        var needs: [Int] = []
        var asks = Lifecycle.Call.Kind.read
        /// The resources that a body with its value may ask for.
        var bodyNeeds: [Int] = []
        /// How callers from nowhere ask, and how many there are.
        var kinds: [Lifecycle.Call.Kind] = [.read]
        var callers = 1
        /// The scopes that they call from: the root's, by `nil`, and children's.
        var callersFrom: [Int?] = [nil]
        /// How often it may be released early.
        var early = 0
        var flights = 1
    }

    /// A child of the root or of another child, opened inside of nothing or of an entry of a resource.
    struct Child: Sendable {
        var parent: Int?
        var inside: Int?
        /// An observer is told of its end.
        var isObserved = false
        /// Its opener settles and closes it inside of the activities of a resource: its factory, its function, its bodies.
        var isClosedInside: Int?
    }

    let name: String
    var resources: [Resource]
    var children: [Child] = []
    var deadlines: Set<Lifecycle.Stage> = []
    var hasBudgets = false
    var fails = false

    var testDescription: String { name }

    static let all = [
        LifecycleScenario(
            name: "a transaction on a connection, two callers",
            resources: [
                Resource(), Resource(form: .around, point: .beforeResponse, needs: [0], callers: 2),
            ],
            deadlines: [.acquiring, .cancelling, .releasing],
            fails: true
        ),
        LifecycleScenario(
            name: "three resources in a chain",
            resources: [
                Resource(), Resource(needs: [0]), Resource(form: .around, point: .beforeResponse, needs: [1, 0]),
            ],
            deadlines: [.releasing]
        ),
        LifecycleScenario(
            name: "three resources that may need each other",
            resources: [Resource(needs: [1]), Resource(needs: [2]), Resource(needs: [0])]
        ),
        LifecycleScenario(
            name: "a resource that outlives what it needs, and a memo that is kept",
            resources: [
                Resource(point: .beforeResponse, early: 1, flights: 2), Resource(needs: [0, 2]),
                Resource(form: .memo, point: .beforeResponse, needs: [0], callers: 2, flights: 2),
            ],
            deadlines: [.cancelling]
        ),
        LifecycleScenario(
            name: "a memo that is built on another one, on a connection that is lost or released",
            resources: [
                Resource(form: .around, early: 1), Resource(form: .memo, needs: [0], flights: 2),
                Resource(form: .memo, needs: [1], flights: 2),
            ]
        ),
        LifecycleScenario(
            name: "early release with dependents and bodies of use, twice",
            resources: [
                Resource(kinds: [.read, .use], callers: 2, early: 2, flights: 2),
                Resource(form: .around, point: .beforeResponse, needs: [0], early: 1),
            ],
            deadlines: [.awaitingUses, .releasing]
        ),
        LifecycleScenario(
            name: "turns of two clients that may wait for each other, and a flight that wants a turn",
            resources: [
                Resource(bodyNeeds: [1, 2], kinds: [.exclusive], callers: 2),
                Resource(bodyNeeds: [0], kinds: [.exclusive]),
                Resource(needs: [0], asks: .exclusive),
            ]
        ),
        LifecycleScenario(
            name: "turns of a function that may be lost, and its early release",
            resources: [Resource(form: .around, bodyNeeds: [0], kinds: [.exclusive, .use], callers: 3, early: 1)],
            deadlines: [.awaitingUses]
        ),
        LifecycleScenario(
            name: "two functions that claim one connection",
            resources: [
                Resource(kinds: [.exclusive, .read], callers: 2),
                Resource(form: .around, point: .beforeResponse, needs: [0], asks: .claim),
                Resource(form: .around, needs: [0], asks: .claim),
            ],
            deadlines: [.releasing]
        ),
        LifecycleScenario(
            name: "children, budgets, a resource and a transaction",
            resources: [Resource(), Resource(form: .around, point: .beforeResponse)],
            children: [Child(), Child()],
            deadlines: [.cancelling, .releasing],
            hasBudgets: true,
            fails: true
        ),
        LifecycleScenario(
            name: "a child whose resource is built on its parent's, and budgets",
            resources: [
                Resource(), Resource(owner: 0, needs: [0]), Resource(point: .beforeResponse),
            ],
            children: [Child()],
            deadlines: [.cancelling, .awaitingUses, .releasing],
            hasBudgets: true
        ),
        LifecycleScenario(
            name: "a child of a function, with a connection that the function uses",
            resources: [
                Resource(form: .around, point: .beforeResponse, needs: [1]), Resource(owner: 0), Resource(),
            ],
            children: [Child(inside: 0)],
            deadlines: [.cancelling, .releasing],
            hasBudgets: true
        ),
        LifecycleScenario(
            name: "a child of a child, each with a resource, and budgets",
            resources: [Resource(), Resource(owner: 0, needs: [0]), Resource(owner: 1, needs: [1])],
            children: [Child(), Child(parent: 0)],
            deadlines: [.releasing],
            hasBudgets: true
        ),
        LifecycleScenario(
            name: "observed children beside and in each other, a resource, and budgets",
            resources: [Resource(owner: 1)],
            children: [Child(isObserved: true), Child(parent: 0, isObserved: true), Child()],
            hasBudgets: true
        ),
        LifecycleScenario(
            name: "bodies that begin in a child and in its parent, with what the parent holds, and budgets",
            resources: [
                Resource(kinds: [.use, .exclusive], callers: 2, callersFrom: [nil, 0]), Resource(needs: [0]),
                Resource(),
            ],
            children: [Child()],
            deadlines: [.awaitingUses, .releasing],
            hasBudgets: true
        ),
        LifecycleScenario(
            name: "openers that wait inside of a factory for what may wait for that",
            resources: [
                Resource(needs: [1]), Resource(owner: 0, needs: [0], early: 1), Resource(owner: 1, needs: [0, 1]),
            ],
            children: [Child(inside: 0, isClosedInside: 0), Child(inside: 0, isClosedInside: 0)],
            deadlines: [.cancelling]
        ),
        LifecycleScenario(
            name: "openers that wait inside of a body for what may wait for its turn",
            resources: [
                Resource(bodyNeeds: [1], kinds: [.exclusive], callers: 2, callersFrom: [nil, 0]),
                Resource(owner: 0, needs: [0], asks: .exclusive),
            ],
            children: [Child(isClosedInside: 0)],
            deadlines: [.cancelling, .awaitingUses],
            hasBudgets: true
        ),
    ]
}
