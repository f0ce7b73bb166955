import Synchronization

// Bodies that use a value, which its release waits for.

extension StoreCore {
    /// Runs `body` with a value, as a body of the request's lifecycle, and says when it has ended.
    nonisolated(nonsending) func run<Result>(
        _ acquired: Acquired,
        _ body: nonisolated(nonsending) () async throws -> Result
    ) async throws -> Result {
        guard let call = acquired.call else { preconditionFailure("a body without a call") }
        defer { request.send(.callEnded(call)) }
        return try await Ambient.with(bodyOf: call, of: request.identity) { try await body() }
    }

    /// Runs `body` with the value for itself: it is its turn.
    ///
    /// What it makes of it is the next one's.
    nonisolated(nonsending) func lend<Value, Result>(
        _ acquired: Acquired,
        as type: Value.Type,
        _ body: nonisolated(nonsending) (inout sending Value) async throws -> sending Result
    ) async throws -> sending Result {
        guard let call = acquired.call else { preconditionFailure("a body without a call") }
        let loan = Loan<Value, Result>(acquired.box.handOver(as: type))
        defer { endLoan(acquired, call, acquired.box.replaced(by: loan.giveBack(), as: type)) }
        try await Ambient.with(bodyOf: call, of: request.identity) { try await loan.lend(to: body) }
        return loan.takeResult()
    }

    /// Puts what a body made of a value in its place, and passes the turn on.
    private func endLoan(_ acquired: Acquired, _ call: Int, _ box: AnyBox) {
        let request = request
        request.send(.callEnded(call)) { state in
            guard let acquisition = state.acquisitions[acquired.entry] else { return }
            // `acquired` refers to the box that is replaced: this is not its end.
            acquisition.box = box
            request.publish(acquisition, state)
        }
    }
}
