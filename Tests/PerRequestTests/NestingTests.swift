import Foundation
import Testing

@testable import PerRequest

@Suite("Nesting (rule 4)")
struct NestingTests {
    private static let name = RequestLocal<String?>("name")
    private static let count = RequestLocal("count", default: 0)
    private static let trace = RequestLocal("trace", initial: { Int.random(in: 0...Int.max) })

    @Test("independent sees nothing")
    func independent() async throws {
        try await withRequestStore { _ in
            try Self.name.set("outer")
            try await withRequestStore(.independent) { _ in
                #expect(Self.name.value == nil)
                try Self.name.set("inner")
            }
            #expect(Self.name.value == "outer")
        }
    }

    @Test("a child's id names its request, and an error says which of both is over")
    func ids() async throws {
        let child = try await withRequestStore(id: "request") { _ in
            try await withRequestStore(.child) { #expect($0.id == "request/1") }
            try await withRequestStore(.child, id: "given") { #expect($0.id == "given") }
            let child = try await withRequestStore(.child) { child in
                try await withRequestStore(.child) { #expect($0.id == "request/4") }
                return child
            }
            #expect(child.id == "request/3")
            let error = #expect(throws: RequestStoreError.self) { try Self.name.require(in: child) }
            #expect(error?.reason.name == "childStoreEnded")
            #expect(error?.request == "request/3")
            return child
        }
        let error = #expect(throws: RequestStoreError.self) { try Self.name.require(in: child) }
        #expect(error?.reason.name == "requestEnded")
        #expect(error?.request == "request/3")
        // Also where the store was another request's before.
        for _ in 0..<3 {
            try await withRequestStore { store in
                try await withRequestStore(.child) { #expect($0.id == "\(store.id)/1") }
            }
        }
    }

    @Test("join is the current store: it is neither settled nor closed; without one it is a root")
    func join() async throws {
        let journal = Journal()
        let resource = noting("resource", in: journal)
        try await withRequestStore { store in
            try await withRequestStore(.join) { joined in
                #expect(joined == store)
                try Self.name.set("set inside")
                _ = try await resource.get()
            }
            #expect(journal.entries == ["acquire resource"])
            #expect(Self.name.value == "set inside")
        }
        try await withRequestStore(.join) { store in
            #expect(RequestStore.current == store)
            _ = try await resource.get()
        }
        #expect(journal.entries.suffix(2) == ["acquire resource", "release resource: commit"])
    }

    @Test("a child reads values through and keeps its own sets inside")
    func childValues() async throws {
        try await withRequestStore { parent in
            try Self.name.set("parent")
            try Self.count.set(1)
            try parent.set("byName", to: 1)
            try await withRequestStore(.child) { child in
                #expect(child != parent)
                #expect(Self.name.value == "parent")
                #expect(try child.get("byName") == 1)
                try Self.name.set("child")
                try Self.count.update { $0 += 1 }
                #expect(Self.count.value == 2)
                try Self.count.update { $0 += 1 }
                #expect(Self.count.value == 3)
                #expect(Self.name.value(in: parent) == "parent")
                #expect(Self.trace.value == Self.trace.value(in: parent), "one per request")
            }
            #expect(Self.name.value == "parent")
            #expect(Self.count.value == 1)
        }
    }

    @Test("a child acquires in its parent, except what it owns")
    func childResources() async throws {
        let journal = Journal()
        let shared = RequestResource("shared") {
            RequestStore.current
        } release: { _, _ in
            journal.note("shared")
        }
        let owned = RequestResource("owned") {
            RequestStore.current
        } release: { _, outcome in
            journal.note("owned \(outcome.verdict)")
        }
        try await withRequestStore { parent in
            let outer = try await owned.get()
            try await withRequestStore(.child(owning: owned)) { child in
                let inner = try await owned.get()
                #expect(inner == child)
                #expect(outer == parent)
                let both = try await shared.get()
                #expect(both == parent)
            }
            #expect(journal.entries == ["owned commit"])
            await #expect(throws: TestError.self) {
                try await withRequestStore(.child(owning: owned)) { _ in
                    _ = try await owned.get()
                    throw TestError()
                }
            }
        }
        #expect(journal.entries == ["owned commit", "owned rollback", "shared", "owned commit"])
    }

    @Test("a closing parent closes its children first, last opened first, with its outcome; then they are closed")
    func closingParent() async throws {
        let journal = Journal()
        let parentResource = noting("parent", in: journal)
        let resources = (0..<3).map { noting("child \($0)", in: journal) }
        let allOpen = Signal()
        let parentClosed = Signal()
        let scope = StoreScope()
        _ = try await parentResource.get(in: scope.store)
        var children: [Task<Void, any Error>] = []
        for resource in resources {
            let opened = Signal()
            children.append(
                await scope.run {
                    Task {
                        try await withRequestStore(.child(owning: resource)) { store in
                            _ = try await resource.get()
                            opened.fire()
                            await parentClosed.wait()
                            #expect(store.isClosed)
                            #expect(await reason { try await resource.get() }?.name == "requestEnded")
                        }
                    }
                }
            )
            await opened.wait()
        }
        allOpen.fire()
        scope.fail(TestError())
        await scope.close(.failed(TestError()))
        parentClosed.fire()
        for child in children { try await child.value }
        #expect(
            journal.entries.suffix(4)
                == ["child 2", "child 1", "child 0", "parent"].map { "release \($0): rollback" }
        )
    }

    @Test("a child of a closed parent is refused, and so is joining it")
    func closedParent() async throws {
        let snapshot = try await withRequestStore { _ in RequestSnapshot() }
        await snapshot.run {
            #expect(await reason { try await withRequestStore(.child) { _ in } }?.name == "requestEnded")
            #expect(await reason { try await withRequestStore(.join) { _ in } }?.name == "requestEnded")
        }
    }

    #if !DEBUG && os(Linux)
    @Test("a parent that opens and closes a million children does not grow")
    func aMillionChildren() async throws {
        /// The resident memory in pages.
        func residentPages() throws -> Int {
            let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
            return Int(fields[1]) ?? 0
        }
        let resource = noting("resource", in: Journal())
        try await withRequestStore { _ in
            _ = try await resource.get()
            var early = 0
            for number in 0..<1_000_000 {
                if number == 100_000 { early = try residentPages() }
                try await withRequestStore(.child) { _ in _ = try await resource.get() }
            }
            let growth = try residentPages() - early
            print("A million children: \(growth) pages more than after a tenth of them")
            #expect(growth < 256)
        }
    }
    #endif

    @Test("a parent that opens and closes many children keeps none of them")
    func manyChildren() async throws {
        let journal = Journal()
        let tracked = RequestLocal<Tracked?>("tracked")
        let observer = CountingObserver()
        try await withRequestStore(observers: [observer]) { _ in
            for number in 0..<1_000 {
                try await withRequestStore(.child) { _ in
                    try tracked.set(Tracked { journal.note("\(number)") })
                }
                #expect(journal.entries.count == number + 1)
            }
        }
        #expect(observer.counts.closed == 1_001)
    }

    @Test("a child that has closed is let go while its parent is open")
    func letGo() async throws {
        struct Child {
            weak var core: StoreCore?
        }
        try await withRequestStore { _ in
            let (outer, inner) = try await withRequestStore(.child) { outer in
                let inner = try await withRequestStore(.child) { Child(core: $0.core) }
                #expect(inner.core == nil)
                return (Child(core: outer.core), inner)
            }
            #expect(outer.core == nil && inner.core == nil)
        }
    }
}
