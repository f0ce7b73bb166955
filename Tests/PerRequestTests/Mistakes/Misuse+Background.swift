import PerRequest

extension Misuse {
    static let ofBackgroundWork = [
        Misuse(
            44,
            "work is left for later outside of any request",
            says: """
                "mail": no request is being served here. Serve it through a PerRequest adapter, wrap the work in \
                `withRequestStore { }`, or, in a callback, carry the request with a `RequestSnapshot`. In a \
                test, use `withTestRequestStore { }` or the trait `.requestStore` of PerRequestTesting. \
                [outsideRequest]
                """
        ) {
            await words { try RequestStore.afterResponse("mail") {} }
        },
        Misuse(
            45,
            "work is left for later, and the adapter has no `background:`",
            says: """
                request 7: "mail": nobody runs work after the response: give the adapter a `BackgroundWork` as \
                `background:`, and run it as a service. [noBackgroundWork]
                """
        ) {
            let heard = Journal()
            await serve { _ in heard.note(await words { try RequestStore.afterResponse("mail") {} }) }
            return heard.entries.joined()
        },
        Misuse(
            46,
            "the `BackgroundWork` is not run as a service",
            says: """
                request 7: "mail": the `BackgroundWork` of the application is not running: it was not started, \
                or it is shutting down. Run it as a service, beside the server and behind what its jobs need. \
                [backgroundWorkNotRunning]
                """
        ) {
            let heard = Journal()
            await serve(background: BackgroundWork()) { _ in
                heard.note(await words { try RequestStore.afterResponse("mail") {} })
            }
            return heard.entries.joined()
        },
        Misuse(
            47,
            "more work is left than is done",
            says: """
                request 7: "mail": as many jobs wait as are admitted: 1. Raise `BackgroundWork.Limits.admitted` \
                or `concurrent`, make the jobs faster, or answer with 503. [backgroundWorkFull]
                """
        ) {
            let heard = Journal()
            let work = BackgroundWork(limits: .init(admitted: 1))
            try await running(work) {
                await serve(background: work) { _ in
                    try RequestStore.afterResponse("mail") {}
                    heard.note(await words { try RequestStore.afterResponse("mail") {} })
                }
            }
            return heard.entries.joined()
        },
        Misuse(
            48,
            "work throws, and nobody hears of it",
            says: """
                request 7: the job "mail" failed, after a response that it does not affect, and is not run \
                again: TestError(name: "smtp") [jobFailed]
                """
        ) {
            let reports = Reports()
            let work = BackgroundWork()
            try await running(work) {
                let scope = StoreScope(id: "7", report: reports.take, background: work)
                try await scope.run { try RequestStore.afterResponse("mail") { throw TestError("smtp") } }
                await scope.close()
            }
            return reports.all.map { "\($0)" }.joined()
        },
        Misuse(
            49,
            "work goes on for longer than the application",
            says: """
                request 7: the job "mail" was cut off, after a response that it does not affect, because the \
                application shut down. Let it react to cancellation, or raise `BackgroundWork.Limits.drain`. \
                [jobCut]
                """
        ) {
            let reports = Reports()
            let work = BackgroundWork(limits: .init(drain: .zero))
            try await running(work) {
                let scope = StoreScope(id: "7", report: reports.take, background: work)
                let runs = Signal()
                try await scope.run {
                    try RequestStore.afterResponse("mail") {
                        runs.fire()
                        try await hang()
                    }
                }
                await scope.close()
                await runs.wait()
            }
            return reports.all.map { "\($0)" }.joined()
        },
        Misuse(
            50,
            "an adapter loses a scope",
            says: """
                request 7: the store was dropped while it was open, holding "connection". Close the RequestScope \
                on every path. [abandoned]
                """
        ) {
            let connection = resource()
            let reports = Reports()
            do {
                let scope = StoreScope(id: "7", report: reports.take)
                _ = try await connection.get(in: scope.store)
            }
            await reports.first.wait()
            return reports.all.map { "\($0)" }.joined()
        },
    ]
}
