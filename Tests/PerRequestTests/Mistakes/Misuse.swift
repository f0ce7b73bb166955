import PerRequest
import Testing

/// A way to use the library that is wrong, and what it says to it.
struct Misuse: Sendable, CustomTestStringConvertible {
    let number: Int
    let name: String
    /// All that a person reads of it.
    let message: String
    /// Does it, and gives what is read.
    let provoke: @Sendable () async throws -> String

    init(_ number: Int, _ name: String, says message: String, _ provoke: @escaping @Sendable () async throws -> String)
    {
        self.number = number
        self.name = name
        self.message = message
        self.provoke = provoke
    }

    var testDescription: String { "\(number). \(name)" }

    static let all = ofValues + ofResources + ofUses + ofTransactions + ofBackgroundWork + ofTests + ofTravels

    /// Where a key is used: the file of a shop's routes.
    static let routes = "Shop/Routes.swift"
    /// Where a key is declared.
    static let keys = "Shop/Current.swift"

    /// A plain resource of the shop.
    static func resource(
        _ name: String = "connection",
        released: ReleasePoint = .afterResponse,
        limits: ResourceLimits = ResourceLimits()
    ) -> RequestResource<Int> {
        RequestResource(name, released: released, limits: limits) {
            1
        } release: { _, _ in
        }
    }

    /// Does nothing at all until it is cancelled.
    static func hang() async throws { try await Signal().waitOrCancel() }
}

/// What the error says that `body` throws.
func words<Result>(of body: () async throws -> Result) async -> String {
    do {
        _ = try await body()
        return "nothing was thrown"
    } catch {
        return "\(error)"
    }
}

/// Serves request 7 as an adapter does.
///
/// - Returns: What was reported of it, a line each.
@discardableResult
func serve(
    limits: RequestLimits = RequestLimits(),
    background: BackgroundWork? = nil,
    _ handler: (RequestStore) async throws -> Void
) async -> [String] {
    let reports = Reports()
    let scope = StoreScope(id: "7", limits: limits, report: reports.take, background: background)
    await scope.run {
        do { try await handler(scope.store) } catch { scope.fail(error) }
        await scope.settle(status: .http(200))
    }
    await scope.close(.completed)
    return reports.all.map { "\($0)" }
}
