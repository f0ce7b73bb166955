import Logging
import PerRequest
import Synchronization

let logger = Logger(label: "notes")

enum Current {
    static let user = RequestLocal<String?>("user")
    static let journal = RequestLocal<Journal?>("journal")

    static let transaction = RequestResource("transaction", released: .beforeResponse) {
        Transaction()
    } release: { _, outcome in
        journal.value?.note("\(outcome.verdict)")
    }
}

struct Note: Sendable {}

struct Order: Sendable {
    let id: Int
}

struct Transaction: Sendable {
    func insert(_ row: some Sendable) async throws { Current.journal.value?.note("insert") }
}

enum Index {
    static func add(_ entry: some Sendable) async throws { Current.journal.value?.note("index") }
}

enum Mailer {
    static func send(_ note: Note, to user: String) async throws { Current.journal.value?.note("mail") }
}

enum Audit {
    static func record(_ what: String, by user: String?) async throws { Current.journal.value?.note("audit") }
}

struct Outbox: Sendable {
    let mail: Int

    static func sendDue() async throws { Current.journal.value?.note("due") }
}

struct Event: Sendable {
    let id: String
}

struct Receipt: Sendable {}

enum Orders {
    static func place(_ event: Event) async throws -> Receipt { Receipt() }
}

/// What happened, in order.
final class Journal: Sendable {
    private let lines = Mutex<[String]>([])

    var entries: [String] { lines.withLock { $0 } }

    func note(_ line: String) { lines.withLock { $0.append(line) } }
}
