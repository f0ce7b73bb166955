import Dispatch
import PerRequest
import PerRequestAdapters

/// Rules 2, 3 and 5: which store the code of a request sees.
extension ConformanceCheck {
    static let currency: [ConformanceCheck] = [
        sees("the store is current in the handler and in factories", .handler, at: ["handler", "factory"]) { bench in
            bench.recorder.see(.handler, "handler")
            let resource = RequestResource("seeing") {
                bench.recorder.see(.handler, "factory")
            } release: { _, _ in
            }
            try await resource.get()
            return ConformanceReply()
        },
        sees("the store is current in child tasks", .childTasks, at: ["async let", "group", "task"]) { bench in
            async let child: Void = bench.recorder.see(.childTasks, "async let")
            await withDiscardingTaskGroup { group in
                group.addTask { bench.recorder.see(.childTasks, "group") }
            }
            await Task { bench.recorder.see(.childTasks, "task") }.value
            await child
            return ConformanceReply()
        },
        sees("the store is current in middleware, both ways", .middleware, at: ["in", "out"]) { _ in
            ConformanceReply()
        },
        sees("the store is current in a streamed body", .streamedBody, at: ["part 0", "part 1", "part 2"]) { bench in
            ConformanceReply(
                .ok,
                .streamed { number in
                    await Task.yield()
                    bench.recorder.see(.streamedBody, "part \(number)")
                    return number < 2 ? "part;" : nil
                }
            )
        },
        sees("the store is current where an error is mapped", .errorMapping, at: ["mapping"]) { bench in
            throw ConformanceError { bench.recorder.see(.errorMapping, "mapping") }
        },
        sees("the store is current in releases", .releases, at: ["second", "third", "first"]) { bench in
            try await bench.acquireAll()
            return ConformanceReply()
        },
        sees("a snapshot carries the store to another thread", .callbacks, at: ["queue"]) { bench in
            let snapshot = RequestSnapshot()
            await withCheckedContinuation { continuation in
                let callback: @Sendable () -> Void = snapshot.wrap {
                    bench.recorder.see(.callbacks, "queue")
                    try? bench.owner.set("the callback")
                }
                DispatchQueue.global().async {
                    callback()
                    continuation.resume()
                }
            }
            try expect(bench.owner.value, is: "the callback", "the value that the callback set")
            return ConformanceReply()
        },
        rootInAnotherStore,
        escapedTask,
    ]

    private static func sees(
        _ name: String,
        _ codePath: RequestCodePath,
        at places: [String],
        _ handler: @escaping @Sendable (Bench) async throws -> ConformanceReply
    ) -> ConformanceCheck {
        ConformanceCheck(name: name, rule: 3, codePath: codePath) { server in
            let bench = Bench(server)
            let (_, outcome) = try await bench.serveOne { try await handler(bench) }
            if case .failed(let failure as ConformanceFailure) = outcome.ending { throw failure }
            try bench.expectSeen(codePath, at: places)
        }
    }

    /// A server that was started inside a store.
    private static let rootInAnotherStore = ConformanceCheck(
        name: "a server that was started inside a store does not share it with its requests",
        rule: 2,
        codePath: .handler
    ) { server in
        let bench = Bench(server)
        try await withRequestStore { outer in
            try bench.owner.set("the server's starter")
            let (answer, _) = try await bench.serveOne {
                try expect(RequestStore.current != outer, "the request has the store that the server was started in")
                let owner = bench.owner.value
                try bench.owner.set("the request")
                return ConformanceReply(.ok, .buffered(owner))
            }
            try expect(answer.body, is: "nobody", "the value of the outer store, as the request saw it")
            try expect(bench.owner.value, is: "the server's starter", "the outer store's value after the request")
            try expect(!outer.isClosed, "the request closed the store that the server was started in")
        }
    }

    /// A task that outlives its request.
    private static let escapedTask = ConformanceCheck(
        name: "a task that outlives its request sees its store, closed and empty",
        rule: 5,
        codePath: .childTasks
    ) { server in
        let bench = Bench(server)
        try await bench.serveOne {
            try bench.owner.set("the request")
            Task {
                try await bench.recorder.wait(for: "the request is over")
                bench.recorder.see(.childTasks, bench.owner.value)
            }
            return ConformanceReply()
        }
        bench.recorder.note("the request is over")
        let sighting = try await bench.recorder.wait(for: "look at the store by the escaped task") { state in
            state.sightings.first { $0.codePath == .childTasks }
        }
        try expect(sighting.store != nil && sighting.isClosed, "an escaped task sees an open store, or none")
        try expect(sighting.store == bench.recorder.state.opened.first, "an escaped task sees another store")
        try expect(sighting.place, is: "nobody", "the request's value, as the escaped task saw it")
    }
}
