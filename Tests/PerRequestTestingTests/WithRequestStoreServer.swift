import PerRequest
import PerRequestAdapters
import PerRequestTesting

/// A server without a network, whose requests run in `withRequestStore`: what a queue's worker or a Lambda looks like.
struct WithRequestStoreServer: ConformanceServer {
    static let unmetGuarantees = [
        UnmetGuarantee(
            rule: 3,
            in: .errorMapping,
            .wholly,
            "Who makes a response of the error that `withRequestStore` throws does so after the store has closed."
        ),
        UnmetGuarantee(
            rule: 15,
            in: .handler,
            .partly,
            "It knows no status: a failure that is returned commits, unless it calls `store.fail(error)`."
        ),
        UnmetGuarantee(
            rule: 18,
            in: .releases,
            .wholly,
            "A release that fails makes `withRequestStore` throw, also one that comes after the response."
        ),
        UnmetGuarantee(
            rule: 20,
            in: .afterResponse,
            .partly,
            "The work runs before `withRequestStore` returns."
        ),
        UnmetGuarantee(rule: 1, in: .clientLeaving, .wholly, "There is no client."),
        UnmetGuarantee(rule: 15, in: .clientLeaving, .wholly, "There is no client."),
        UnmetGuarantee(rule: 19, in: .clientLeaving, .wholly, "There is no client."),
    ]

    var nesting = RequestNesting.independent

    var unmetGuarantees: [UnmetGuarantee] { Self.unmetGuarantees }

    /// The body is written in the store, and what it returns is promised after.
    var promisesSuccessLast: Bool { true }

    func run(
        _ application: ConformanceApplication,
        _ body: @Sendable (_ connect: @escaping ConformanceConnect) async throws -> Void
    ) async throws {
        try await InMemoryConnection.serve(application, { await serve($0, application) }, body)
    }

    private func serve(_ exchange: Exchange, _ application: ConformanceApplication) async {
        var isSuccess = true
        do {
            try await withRequestStore(nesting, observers: [application.observer]) { store in
                application.middlewareIn()
                let reply = try await application.handle(exchange.request)
                application.middlewareOut()
                for try await part in reply.parts { try exchange.write(.body(part)) }
                if reply.status == .failed { store.fail(ReturnedFailure()) }
                isSuccess = reply.status == .ok
            }
        } catch {
            isSuccess = false
        }
        try? exchange.write(.head(nil, isSuccess: isSuccess))
        exchange.end()
    }

    private struct ReturnedFailure: Error {}
}
