import PerRequest
import PerRequestAdapters
import PerRequestTesting

/// A server without a network and an adapter in thirty lines, which can be wrong in a way of its own.
struct HandmadeServer: ConformanceServer {
    /// A mistake of an adapter, and what it breaks.
    enum Mistake: CaseIterable {
        case dropsTheScope
        case keepsOneScope
        case forgetsTheHandlersError
        case saysNothingOfTheClient
        case saysNoStatus
        case ignoresTheSettlement
        case settlesAfterTheBody
        case leavesTheStoreForMiddleware
        case leavesTheStoreForTheBody
        case takesNoWork
        case bindsItsOwner

        var breaks: (rule: Int, codePath: RequestCodePath) {
            switch self {
            case .dropsTheScope: (19, .streamedBody)
            case .keepsOneScope: (6, .nextRequest)
            case .forgetsTheHandlersError: (15, .errorMapping)
            case .saysNothingOfTheClient: (19, .clientLeaving)
            case .saysNoStatus: (19, .errorMapping)
            case .ignoresTheSettlement: (16, .commit)
            case .settlesAfterTheBody: (16, .commit)
            case .leavesTheStoreForMiddleware: (3, .middleware)
            case .leavesTheStoreForTheBody: (3, .streamedBody)
            case .takesNoWork: (20, .afterResponse)
            case .bindsItsOwner: (21, .streamedBody)
            }
        }
    }

    var mistake: Mistake?

    /// Whether the scope is closed when its owner goes, and not by the server.
    var closesByOwner = false

    let unmetGuarantees: [UnmetGuarantee] = []

    func run(_ application: ConformanceApplication, _ body: ConformanceBody) async throws {
        let shared = mistake == .keepsOneScope ? open(application) : nil
        try await InMemoryConnection.serve(
            application,
            { exchange in
                let scope = shared ?? open(application)
                let owner = closesByOwner ? RequestScopeOwner(scope) : nil
                await scope.run { await serve(exchange, application, in: scope, of: owner) }
            },
            body
        )
        await shared?.close()
    }

    private func open(_ application: ConformanceApplication) -> RequestScope {
        RequestScope(
            observers: [application.observer],
            report: { _ in },
            background: mistake == .takesNoWork ? nil : application.background
        )
    }

    private func serve(
        _ exchange: Exchange,
        _ application: ConformanceApplication,
        in scope: RequestScope,
        of owner: RequestScopeOwner?
    ) async {
        if mistake == .leavesTheStoreForMiddleware {
            withoutRequestStore { application.middlewareIn() }
        } else {
            application.middlewareIn()
        }
        var code = 500
        do {
            var reply: ConformanceReply?
            do {
                let handled = try await application.handle(exchange.request)
                application.middlewareOut()
                (reply, code) = (handled, handled.status.httpCode)
            } catch {
                if mistake != .forgetsTheHandlersError { scope.fail(error) }
                if let error = error as? ConformanceError {
                    error.noteMapping()
                    code = 409
                }
            }
            if mistake != .settlesAfterTheBody {
                let status = mistake == .saysNoStatus ? nil : RequestStatus.http(code)
                let settlement = await scope.settle(status: status)
                if settlement.failure != nil, mistake != .ignoresTheSettlement { (reply, code) = (nil, 500) }
            }
            try exchange.write(.head(.http(code), isSuccess: code < 300))
            if let owner {
                try await owner.run { try await write(reply, to: exchange) }
            } else if mistake == .bindsItsOwner {
                try await BoundOwner.$current.withValue(BoundOwner(scope)) { try await write(reply, to: exchange) }
            } else {
                try await write(reply, to: exchange)
                if mistake != .dropsTheScope { await scope.close(status: mistake == .saysNoStatus ? nil : .http(code)) }
            }
            exchange.end()
        } catch {
            let isGone = error is Exchange.ClientIsGone && mistake != .saysNothingOfTheClient
            let ending = isGone ? RequestOutcome.Ending.clientDisconnected : .failed(error)
            if let owner { owner.note(ending) } else { await scope.close(ending) }
            exchange.abort(error)
        }
    }

    private func write(_ reply: ConformanceReply?, to exchange: Exchange) async throws {
        guard let reply else { return }
        var parts = reply.parts.makeAsyncIterator()
        func next() async throws -> String? { try await parts.next() }
        while let part = mistake == .leavesTheStoreForTheBody
            ? try await withoutRequestStore({ () async throws in try await next() }) : try await next()
        {
            try exchange.write(.body(part))
        }
    }
}

/// What closes a scope when the last reference to it goes, in a task-local of the adapter's own: the tasks of the store
/// inherit it.
private final class BoundOwner: Sendable {
    @TaskLocal static var current: BoundOwner?

    private let scope: RequestScope

    init(_ scope: RequestScope) { self.scope = scope }

    deinit { Task.detached { [scope] in await scope.close() } }
}
