#if GRPC
import GRPCCore
import PerRequest

/// The writer of an RPC's response, which settles the store before the status is written.
struct SettlingWriter<Bytes: GRPCContiguousBytes & Sendable>: ClosableRPCWriterProtocol {
    typealias Element = RPCResponsePart<Bytes>

    let base: RPCWriter<Element>.Closable
    let scope: StoreScope
    let exchange: RPCExchange

    func write(_ element: Element) async throws {
        guard case .status(let status, let metadata) = element else {
            return try await noting(isStatus: false) { try await base.write(element) }
        }
        let settled = await settle(status, metadata)
        exchange.willWriteStatus()
        try await noting(isStatus: true) { try await base.write(settled) }
    }

    func write(contentsOf elements: some Sequence<Element>) async throws {
        let elements = Array(elements)
        guard elements.contains(where: \.isStatus) else {
            return try await noting(isStatus: false) { try await base.write(contentsOf: elements) }
        }
        for element in elements { try await write(element) }
    }

    func finish() async { await base.finish() }

    func finish(throwing error: any Error) async { await base.finish(throwing: error) }

    /// Runs the releases before the response.
    ///
    /// - Returns: The status to write: the handler's, or an error where a release failed. The handler's trailing metadata
    ///   speaks of a success that did not happen; an error has none.
    private func settle(_ status: Status, _ metadata: Metadata) async -> Element {
        // The first cause wins: what the interceptor saw says more.
        if let error = RPCError(status: status, metadata: metadata) { exchange.failed(error) }
        let settlement = await scope.settle(status: .grpc(status.code.rawValue))
        guard settlement.failure != nil else { return .status(status, metadata) }
        // What went wrong is for the log: every release that failed is reported.
        guard case .grpc(RPCError.Code.unavailable.rawValue) = settlement.replacement else {
            return .status(Status(code: .internalError, message: "The RPC could not be completed."), [:])
        }
        return .status(Status(code: .unavailable, message: "The RPC was not completed in time."), [:])
    }

    private func noting(isStatus: Bool, _ write: () async throws -> Void) async throws {
        do {
            try await write()
        } catch {
            exchange.writeFailed(isStatus: isStatus)
            throw error
        }
    }
}

extension RPCResponsePart {
    fileprivate var isStatus: Bool {
        if case .status = self { true } else { false }
    }
}
#endif
