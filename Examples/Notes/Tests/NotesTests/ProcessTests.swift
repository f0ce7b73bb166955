import Foundation
import HTTPTypes
import Testing

/// The executable itself, as a process.
@Suite(.timeLimit(.minutes(1)))
struct ProcessTests {
    private typealias Run = NotesProcess

    @Test("It says where it listens, serves, and ends with 0 at SIGTERM; its temporary database goes with it")
    func serves() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "process-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let run = try Run(["PORT": "0", "TMPDIR": folder.path])
        defer { run.process.terminate() }
        let client = NotesClient(port: try #require(run.port()))
        let reply = try await client.get("/")
        #expect(reply.status == 200)
        #expect(reply.body.contains("<!-- request="))
        #expect(try !FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
        run.process.terminate()
        let (status, rest, _) = run.end()
        #expect(status == 0)
        #expect(rest.isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test("It stops at SIGTERM and SIGINT although a client waits for its next event", arguments: [SIGTERM, SIGINT])
    func stopsWhileStreaming(signal: Int32) async throws {
        let run = try Run(["PORT": "0"])
        defer { run.process.terminate() }
        let client = NotesClient(port: try #require(run.port()))
        let duration = try await ContinuousClock().measure {
            try await client.open(.get, "/events?count=1000&interval=10000") { _, body in
                _ = try await body.read(until: "data: 0\n\n")
                kill(run.process.processIdentifier, signal)
                await #expect(throws: (any Error).self) { _ = try await body.rest() }
            }
            #expect(run.end().status == 0)
        }
        #expect(duration < .seconds(5))
    }

    @Test("Notes in a file of one's own are there after a restart")
    func keepsDatabase() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "kept-\(UUID().uuidString).sqlite")
        defer {
            for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: file.path + suffix) }
        }
        for count in 0...1 {
            let run = try Run(["PORT": "0", "NOTES_DATABASE": file.path])
            defer { run.process.terminate() }
            let client = NotesClient(port: try #require(run.port()))
            #expect(try await client.get("/api/notes").json(as: [NoteReply].self).count == count)
            #expect(try await client.post("/api/notes", json: ["title": "A", "body": "b"]).status == 201)
            run.process.terminate()
            #expect(run.end().status == 0)
        }
    }

    @Test(
        "A bad PORT or database is one line on standard error and exit status 1",
        arguments: [
            (["PORT": "abc"], "PORT"), (["PORT": "65536"], "PORT"), (["PORT": ""], "PORT"),
            (["PORT": "0", "GRPC_PORT": "x"], "GRPC_PORT"), (["PORT": "0", "NOTES_MIRROR": "8081"], "NOTES_MIRROR"),
            (["PORT": "0", "NOTES_DATABASE": "/nowhere/notes.sqlite"], "/nowhere/notes.sqlite"),
            (["PORT": "0", "NOTES_DATABASE": "/etc/passwd"], "/etc/passwd"),
            (["PORT": "0", "DATABASE_URL": "mysql://u:secret@127.0.0.1/x"], "DATABASE_URL"),
            (["PORT": "0", "DATABASE_URL": "postgresql://u:secret@127.0.0.1:1/x"], "DATABASE_URL"),
            (["PORT": "0", "DATABASE_URL": "postgresql://u:se/cret@127.0.0.1:1/x"], "DATABASE_URL"),
            (["PORT": "0", "DATABASE_URL": "postgresql:///x", "NOTES_DATABASE": "x"], "not both"),
        ]
    )
    func badSettings(environment: [String: String], mention: String) throws {
        let (status, output, errors) = try Run(environment).end()
        #expect(status == 1)
        #expect(output.isEmpty)
        #expect(errors.hasPrefix("notes: ") && errors.contains(mention))
        #expect(errors.filter(\.isNewline).count == 1 && errors.hasSuffix("\n"))
        #expect(!errors.contains("secret") && !errors.contains("cret@"))
    }

    @Test("An option that there is not is one line on standard error and exit status 1")
    func badOption() throws {
        let (status, _, errors) = try Run(["PORT": "0"], arguments: ["--global-clients"]).end()
        #expect(status == 1)
        #expect(errors.hasPrefix("notes: ") && errors.contains("--global-clients"))
        #expect(errors.filter(\.isNewline).count == 1)
    }
}
