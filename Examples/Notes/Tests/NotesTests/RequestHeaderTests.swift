import HTTPTypes
import Testing

@Suite(.timeLimit(.minutes(1)))
struct RequestHeaderTests {
    private struct Case {
        var method = HTTPRequest.Method.get
        let path: String
        var type: String?
        var body: String?
        let status: Int
        let usesDatabaseBeforeHead: Bool
    }

    private static let json = #"{"title":"t","body":"b"}"#
    private static let form = "application/x-www-form-urlencoded"

    private static let cases = [
        Case(path: "/", status: 200, usesDatabaseBeforeHead: false),
        Case(path: "/health", status: 200, usesDatabaseBeforeHead: false),
        Case(path: "/events?count=1", status: 200, usesDatabaseBeforeHead: false),
        Case(path: "/whoami", status: 200, usesDatabaseBeforeHead: true),
        Case(path: "/api/notes", status: 200, usesDatabaseBeforeHead: true),
        Case(path: "/callback/notes", status: 200, usesDatabaseBeforeHead: true),
        Case(path: "/nowhere", status: 404, usesDatabaseBeforeHead: false),
        Case(path: "/api/notes/1", status: 404, usesDatabaseBeforeHead: true),
        Case(path: "/api/notes/x", status: 400, usesDatabaseBeforeHead: false),
        Case(path: "/events?count=0", status: 400, usesDatabaseBeforeHead: false),
        Case(method: .post, path: "/api/notes", body: "{", status: 400, usesDatabaseBeforeHead: false),
        Case(method: .post, path: "/api/notes?fail=handler", body: json, status: 500, usesDatabaseBeforeHead: true),
        Case(method: .post, path: "/api/notes?fail=conflict", body: json, status: 409, usesDatabaseBeforeHead: true),
        Case(method: .post, path: "/api/notes?fail=commit", body: json, status: 500, usesDatabaseBeforeHead: true),
        Case(method: .post, path: "/api/notes", body: json, status: 201, usesDatabaseBeforeHead: true),
        Case(
            method: .post,
            path: "/notes",
            type: form,
            body: "title=t&body=b",
            status: 303,
            usesDatabaseBeforeHead: true
        ),
        Case(method: .post, path: "/notes", type: form, body: "title=t", status: 422, usesDatabaseBeforeHead: false),
        Case(method: .post, path: "/notes", body: "title=t", status: 415, usesDatabaseBeforeHead: false),
        Case(method: .delete, path: "/api/notes/999", status: 404, usesDatabaseBeforeHead: true),
    ]

    @Test("Every response has an X-Request-ID of its own; X-Database-Client is there if the database was used by then")
    func headers() async throws {
        try await withNotes { client in
            var requests = Set<String>()
            var leases = Set<Int>()
            for test in Self.cases {
                let reply = try await client.send(test.method, test.path, contentType: test.type, body: test.body)
                #expect(reply.status == test.status, "\(test.method) \(test.path)")
                let requestID = try #require(reply.requestID, "\(test.method) \(test.path)")
                #expect(requests.insert(requestID).inserted, "\(test.method) \(test.path)")
                #expect((reply.client != nil) == test.usesDatabaseBeforeHead, "\(test.method) \(test.path)")
                if let lease = reply.client { #expect(leases.insert(lease).inserted) }
            }
        }
    }

    @Test("No lease id is given twice, over 300 requests on 8 connections")
    func leasesAreNeverReused() async throws {
        try await withNotes { client in
            let leases = try await withThrowingTaskGroup { group in
                for _ in 1...300 {
                    group.addTask { try await client.get("/api/notes").client }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(leases.count == 300)
            #expect(Set(leases.compactMap(\.self)).count == 300)
        }
    }
}
