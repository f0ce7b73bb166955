import Synchronization

// Bodies that use a value, which its release waits for.

extension StoreCore {
    /// Runs `body` with a value, as a body of the request's lifecycle, and says when it has ended.
    nonisolated(nonsending) func run<Result>(
        _ acquired: Acquired,
        from position: SourcePosition,
        _ body: nonisolated(nonsending) () async throws -> Result
    ) async throws -> Result {
        guard let call = acquired.call else { preconditionFailure("a body without a call") }
        let observed = observeUse(call, of: acquired.entry, from: position)
        defer {
            observed?.useEnded()
            request.send(.callEnded(call))
        }
        return try await Ambient.with(bodyOf: call, of: request.identity) { try await body() }
    }

    /// Runs `body` with the value for itself: it is its turn.
    ///
    /// What it makes of it is the next one's.
    nonisolated(nonsending) func lend<Value, Result: Sendable>(
        _ acquired: Acquired,
        as type: Value.Type,
        from position: SourcePosition,
        _ body: nonisolated(nonsending) (inout sending Value) async throws -> Result
    ) async throws -> Result {
        guard let call = acquired.call else { preconditionFailure("a body without a call") }
        let observed = observeUse(call, of: acquired.entry, from: position)
        let loan = Loan(acquired.box.handOver(as: type))
        defer {
            observed?.useEnded()
            endLoan(acquired, call, acquired.box.replaced(by: loan.giveBack(), as: type))
        }
        return try await Ambient.with(bodyOf: call, of: request.identity) { try await loan.lend(to: body) }
    }

    /// The value of a resource for an `around` function that is made on it and has it for itself.
    nonisolated(nonsending) func claim<Base: Sendable>(
        _ base: RequestResource<Base>,
        for name: String,
        from position: SourcePosition
    ) async throws -> Base {
        do {
            return try await acquire(base.info, from: position, as: .claim).box.value(as: Base.self)
        } catch let error as RequestStoreError {
            guard case .claimed(let claimant, for: nil) = error.reason, error.key == base.name else { throw error }
            throw self.error(.claimed(by: claimant, for: name), key: base.name).at(position)
        }
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
