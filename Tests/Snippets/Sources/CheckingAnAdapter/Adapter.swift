import PerRequest
import PerRequestAdapters
import PerRequestTesting

enum MyAdapter {
    static let unmetGuarantees: [UnmetGuarantee] = []
}

func withServer(_ application: ConformanceApplication, _ body: (Int) async throws -> Void) async throws {
    try await body(8080)
}

struct MyConnection: ConformanceConnection {
    init(port: Int) async throws {}

    func ask(_ requests: [String]) async throws -> [ConformanceAnswer] { [] }

    func open(_ request: String) async throws {}

    func readSome() async throws {}

    func leave() async throws {}

    func close() async throws {}
}
