let alice = User(id: "alice")
let pool = Pool()
let database = Database()

struct User: Identifiable, Sendable {
    let id: String
}

struct Note: Sendable {}

struct NoteInput: Sendable {
    let note = Note()
}

enum Notes {
    static func of(_ user: User?) async throws -> [Note] { [] }
}

struct Client: Sendable {
    static func connect() async throws -> Client { Client() }

    func close() async {}

    func insert(_ note: Note) async throws {}

    func notes() async throws -> [Note] { [] }

    func user(_ id: User.ID) async throws -> User { User(id: id) }
}

struct Pool: Sendable {
    func lease() async throws -> Client { Client() }

    func giveBack(_ client: Client) async {}
}

struct Database: Sendable {
    func withTransaction<Value>(_ body: (Client) async throws -> Value) async throws -> Value {
        try await body(Client())
    }
}

struct Cache: Sendable {}

func user(of session: String?) async throws -> User? { nil }

func sendMail(_ note: Note) async throws {}
