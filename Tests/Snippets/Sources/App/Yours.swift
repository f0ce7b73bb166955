import Hummingbird
import PerRequest
import Synchronization

// What the README says is yours.

let pool = Pool()
let alice = User(id: "alice")

struct User: Identifiable, Sendable {
    let id: String
}

struct Note: Sendable {
    let text: String
    let author: User

    init(_ text: String, by author: User) {
        self.text = text
        self.author = author
    }
}

struct EmptyNote: Error {}

/// Sets the user, and answers an error of the route.
struct Entrance: RouterMiddleware {
    func handle(
        _ request: Request,
        context: BasicRequestContext,
        next: (Request, BasicRequestContext) async throws -> Response
    ) async throws -> Response {
        if let name = request.headers[.authorization] { try await Current.user.set(Current.userByID(name)) }
        do {
            return try await next(request, context)
        } catch is EmptyNote {
            return Response(status: .conflict)
        }
    }
}

/// A connection to a database in memory, which nobody else has.
final class Connection: Sendable {
    private let rows = Mutex<[Note]>([])

    var notes: [Note] { rows.withLock { $0 } }

    func insert(_ note: Note) { rows.withLock { $0.append(note) } }

    func user(_ id: User.ID) -> User { User(id: id) }

    func withTransaction<Value>(_ body: (Connection) async throws -> Value) async throws -> Value {
        let before = notes
        do {
            return try await body(self)
        } catch {
            rows.withLock { $0 = before }
            throw error
        }
    }
}

/// A pool of one.
struct Pool: Sendable {
    let connection = Connection()

    func lease() async throws -> Connection { connection }

    func giveBack(_ connection: Connection) async {}
}
