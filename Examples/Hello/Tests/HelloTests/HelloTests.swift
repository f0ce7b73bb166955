import Foundation
import Hummingbird
import HummingbirdTesting
import PerRequest
import PerRequestTesting
import Synchronization
import Testing

@testable import Hello

@Suite("Hello")
struct HelloTests {
    static let servers = [TestingSetup.router, .live]
    static let stranger = User(id: 99, name: "Nobody")

    @Test("A note is committed, and on the page that is streamed", arguments: servers)
    func commit(server: TestingSetup) async throws {
        try await withHello(server) { client in
            try await client.post("milk", gives: .created)
            try await client.post("bread", as: 2, gives: .created)
            let page = try await client.page(as: 2)
            #expect(page.headers[.contentLength] == nil)
            #expect(String(buffer: page.body) == "Hello Bob\nAlice: milk\nBob: bread\n")
        }
    }

    @Test("What a route throws is rolled back, although a middleware answers it", arguments: servers)
    func rollback(server: TestingSetup) async throws {
        try await withHello(server) { client in
            for text in ["1", "2", "3"] { try await client.post(text, gives: .created) }
            try await client.post("4", gives: .conflict)
            let notes = try await client.notes
            #expect(notes == ["Alice: 1", "Alice: 2", "Alice: 3"])
            try await client.post("5", as: nil, gives: .unauthorized)
        }
    }

    @Test("A mail is sent after the commit, and only then", arguments: servers)
    func mail(server: TestingSetup) async throws {
        let outbox = Outbox()
        try await withRequestOverrides([.value(of: Current.mailer, outbox.mailer)]) {
            try await withHello(server) { client in
                for text in ["1", "2", "3"] { try await client.post(text, gives: .created) }
                try await client.post("4", gives: .conflict)
            }
        }
        // The application has ended, and what it had to send is sent.
        #expect(outbox.mails == ["1: committed", "2: committed", "3: committed"])
    }

    @Test("A commit that fails is a 500, without a note or a mail", arguments: servers)
    func failingCommit(server: TestingSetup) async throws {
        let outbox = Outbox()
        let overrides: [RequestOverride] = [
            .value(of: Current.mailer, outbox.mailer), .value(of: Current.user, Self.stranger),
        ]
        try await withRequestOverrides(overrides) {
            try await withHello(server) { client in
                try await client.post("milk", gives: .internalServerError)
                let notes = try await client.notes
                #expect(notes == [])
            }
        }
        #expect(outbox.mails == [])
    }

    @Test("A test gives the routes another user and other names", arguments: servers)
    func overrides(server: TestingSetup) async throws {
        try await withRequestOverrides([
            .value(of: Current.user, User(id: 1, name: "Carol")),
            .memo(Current.userByID) { id in User(id: id, name: "user \(id)") },
        ]) {
            try await withHello(server) { client in
                try await client.post("milk", as: 2, gives: .created)
                let page = try await client.page(as: 2)
                #expect(String(buffer: page.body) == "Hello Carol\nuser 1: milk\n")
            }
        }
    }

    @Test(
        "So does a test's trait",
        .requestOverrides([.value(of: Current.user, User(id: 2, name: "Bob"))]),
        arguments: servers
    )
    func overridesTrait(server: TestingSetup) async throws {
        try await withHello(server) { client in
            try await client.post("milk", as: nil, gives: .created)
            let notes = try await client.notes
            #expect(notes == ["Bob: milk"])
        }
    }

    @Test("A test lets the commit fail", .requestOverrides([], forcing: .failingCommit), arguments: servers)
    func forcedOutcome(server: TestingSetup) async throws {
        try await withHello(server) { client in
            try await client.post("milk", gives: .internalServerError)
            let notes = try await client.notes
            #expect(notes == [])
        }
    }

    @Test("Requests that write at the same time wait for each other", arguments: [TestingSetup.router, .ahc(.http)])
    func writers(server: TestingSetup) async throws {
        try await withHello(server) { client in
            try await withThrowingTaskGroup { group in
                for number in 0..<40 {
                    group.addTask { try await client.post("\(number)", as: number % 2 + 1) }
                }
                var created = 0
                for try await status in group {
                    #expect(status == .created || status == .conflict)
                    if status == .created { created += 1 }
                }
                #expect(created == 6)
            }
            let notes = try await client.notes
            #expect(notes.count == 6)
        }
    }
}

/// What was mailed, and whether it was about a note that is committed.
final class Outbox: Sendable {
    private let sent = Mutex<[String]>([])

    /// Those of different requests are sent side by side.
    var mails: [String] { sent.withLock { $0.sorted() } }

    var mailer: Mailer {
        Mailer { text, _ in
            let notes = try await Current.connection.get().read { db in try Note.fetchAll(db) }
            let isCommitted = notes.contains { note in note.text == text }
            self.sent.withLock { $0.append("\(text): \(isCommitted ? "committed" : "open")") }
        }
    }
}

/// Tests the application on a database of its own.
func withHello(
    _ server: TestingSetup,
    _ test: @Sendable (any TestClientProtocol) async throws -> Void
) async throws {
    try await withPool { pool in try await Hello.application(on: pool).test(server, test) }
}

/// Runs `body` on a database of its own.
func withPool(_ body: (Pool) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "hello-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: folder) }
    try await body(Pool(path: folder.appending(path: "test.sqlite").path))
}

extension TestClientProtocol {
    func post(_ text: String, as user: User.ID? = 1) async throws -> HTTPResponse.Status {
        try await execute(uri: "/notes", method: .post, headers: headers(user), body: ByteBuffer(string: text)).status
    }

    func post(
        _ text: String,
        as user: User.ID? = 1,
        gives expected: HTTPResponse.Status,
        at location: SourceLocation = #_sourceLocation
    ) async throws {
        let status = try await post(text, as: user)
        #expect(status == expected, sourceLocation: location)
    }

    func page(as user: User.ID? = nil) async throws -> TestResponse {
        try await execute(uri: "/notes", method: .get, headers: headers(user))
    }

    /// The lines of the page but for its first.
    var notes: [String] {
        get async throws { try await String(buffer: page().body).split(separator: "\n").dropFirst().map(String.init) }
    }

    private func headers(_ user: User.ID?) -> HTTPFields {
        user.map { [.authorization: "\($0)"] } ?? [:]
    }
}
