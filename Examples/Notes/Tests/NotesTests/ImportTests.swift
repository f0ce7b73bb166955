import Foundation
import HTTPTypes
import Hummingbird
import PerRequest
import Testing

@testable import NotesApp

@Suite("An import keeps the good ones: each note is a savepoint", .timeLimit(.minutes(1)))
struct ImportTests {
    private struct ImportReply: Decodable {
        struct Rejected: Decodable, Equatable {
            let index: Int
            let message: String
        }

        let imported: [NoteReply]
        let rejected: [Rejected]
    }

    private func send(_ titles: [String], to client: NotesClient, _ path: String = "/api/notes/import") async throws
        -> Reply
    {
        let body = try JSONEncoder().encode(titles.map { ["title": $0, "body": "of \($0)"] })
        return try await client.send(
            .post,
            path,
            contentType: "application/json",
            body: String(decoding: body, as: UTF8.self)
        )
    }

    private func titles(_ client: NotesClient, _ query: String = "") async throws -> [String] {
        try await client.get("/api/notes\(query)").json(as: [NoteReply].self).map(\.title)
    }

    @Test("What is wrong with one is said, and the others are stored")
    func invalid() async throws {
        try await withNotes { client in
            let reply = try await send(["first", " ", "third"], to: client)
            #expect(reply.status == 200)
            let content = try reply.json(as: ImportReply.self)
            #expect(content.imported.map(\.title) == ["first", "third"])
            #expect(content.rejected == [.init(index: 1, message: "The title must not be blank.")])
            #expect(try await titles(client) == ["first", "third"])
        }
    }

    @Test(
        "One that fails after it was written is undone alone, with its work for later",
        arguments: ["handler", "conflict", "statement"]
    )
    func failure(kind: String) async throws {
        try await withNotes { client in
            for _ in 1...3 {
                let reply = try await send(["first", "second", "third"], to: client, "/api/notes/import?fail=\(kind)")
                #expect(reply.status == 200)
                let content = try reply.json(as: ImportReply.self)
                #expect(content.imported.map(\.title) == ["first", "third"])
                #expect(content.rejected.map(\.index) == [1])
                for word in ["SQL", "NULL", "InHandler"] {
                    #expect(content.rejected[0].message.contains(word) == false)
                }
            }
            let health = try await client.quietHealth()
            #expect(health.releaseErrors == 0)
            #expect(try await titles(client) == ["first", "third", "first", "third", "first", "third"])
            #expect(try await titles(client, "?q=first").count == 3)
            #expect(try await titles(client, "?q=second").isEmpty)
        }
    }

    @Test("A statement that fails outside of a savepoint fails the request")
    func withoutSavepoint() async throws {
        try await withNotes { client in
            let reply = try await client.post("/api/notes?fail=statement", json: ["title": "A", "body": "b"])
            #expect(reply.status == 500)
            #expect(try await titles(client).isEmpty)
        }
    }

    @Test("What was kept of it is gone if the request's commit fails")
    func commit() async throws {
        try await withNotes { client in
            let reply = try await send(["first", "second", "third"], to: client, "/api/notes/import?fail=commit")
            #expect(reply.status == 500)
            #expect(try await titles(client).isEmpty)
            #expect(try await client.quietHealth().resources.held == 0)
            #expect(try await send(["first"], to: client).status == 200)
        }
    }

    @Test("Many at once")
    func many() async throws {
        try await withNotes { client in
            try await withThrowingTaskGroup { group in
                for number in 1...16 {
                    group.addTask {
                        let fails = number % 2 == 0
                        let reply = try await send(
                            (1...5).map { "\(number).\($0)" },
                            to: client,
                            "/api/notes/import\(fails ? "?fail=statement" : "")"
                        )
                        #expect(try reply.json(as: ImportReply.self).imported.count == (fails ? 4 : 5))
                    }
                }
                try await group.waitForAll()
            }
            let expected = (1...16).flatMap { number in
                (1...5).filter { number % 2 == 1 || $0 != 2 }.map { "\(number).\($0)" }
            }
            #expect(try await Set(titles(client)) == Set(expected))
            #expect(try await client.quietHealth().resources.held == 0)
        }
    }

    @Test("A second transaction on the request's connection is refused, and commits nothing of the first")
    func secondTransaction() async throws {
        try await withNotes { router in
            router.post("twice") { _, _ -> HTTPResponse.Status in
                _ = try await NotesRepository.insert(NoteDraft(NoteInput(title: "outer", body: "b")))
                let error = await #expect(throws: RequestStoreError.self) {
                    try await withRequestStore(.child(owning: Current.transaction)) { _ in
                        _ = try await NotesRepository.insert(NoteDraft(NoteInput(title: "inner", body: "b")))
                    }
                }
                if case .claimed = error?.reason {} else { Issue.record("\(String(describing: error))") }
                throw HTTPError(.conflict)
            }
        } _: { client in
            let reply = try await client.send(.post, "/twice")
            #expect(reply.status == 409)
            #expect(try await titles(client).isEmpty)
            #expect(try await client.quietHealth().releaseErrors == 0)
        }
    }

    @Test("What has to be kept whatever becomes of the request has a connection and a transaction of its own")
    func independent() async throws {
        try await withNotes { router in
            router.post("audit") { _, _ -> HTTPResponse.Status in
                try await withRequestStore(.child(owning: Current.client, Current.transaction)) { _ in
                    _ = try await NotesRepository.insert(NoteDraft(NoteInput(title: "audit", body: "b")))
                }
                _ = try await NotesRepository.insert(NoteDraft(NoteInput(title: "lost", body: "b")))
                throw HTTPError(.conflict)
            }
        } _: { client in
            let reply = try await client.send(.post, "/audit")
            #expect(reply.status == 409)
            #expect(try await titles(client) == ["audit"])
        }
    }
}
