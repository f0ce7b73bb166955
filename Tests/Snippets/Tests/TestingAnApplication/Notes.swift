import Hummingbird
import PerRequest
import PerRequestHummingbird
import Synchronization

let alice = User(id: 1)

var app: some ApplicationProtocol {
    let router = RequestStoreRouter()
    router.get("notes") { _, _ in try await "\(Current.connection.get().notes) of \(Current.user.value?.id ?? 0)" }
    router.post("notes") { _, _ in
        try await createNote("milk")
        return HTTPResponse.Status.created
    }
    return Application(router: router, requestStore: .http1())
}

func createNote(_ text: String) async throws {
    try await Current.transaction.get().insert(text)
}

enum Current {
    static let user = RequestLocal<User?>("user")
    static let connection = RequestResource("connection") {
        InMemoryConnection()
    } release: { _, _ in
    }
    static let userByID = RequestMemo("userByID") { (id: Int) in User(id: id) }

    static let transaction = RequestResource.around("transaction", on: connection, released: .beforeResponse) {
        connection,
        use in
        try await connection.withTransaction { transaction in try await use(transaction) }
    }
}

struct User: Sendable {
    let id: Int
}

final class InMemoryConnection: Sendable {
    private let rows = Mutex<[String]>([])

    var notes: [String] { rows.withLock { $0 } }

    func insert(_ text: String) { rows.withLock { $0.append(text) } }

    func withTransaction<Value>(_ body: (InMemoryConnection) async throws -> Value) async throws -> Value {
        let before = notes
        do {
            return try await body(self)
        } catch {
            rows.withLock { $0 = before }
            throw error
        }
    }
}
