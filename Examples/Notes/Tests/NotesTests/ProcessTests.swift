import Foundation
import Testing

/// The executable itself, as a process.
@Suite(.timeLimit(.minutes(1)))
struct ProcessTests {
    private struct Run {
        let process = Process()
        let output = Pipe()
        let errors = Pipe()

        init(_ environment: [String: String]) throws {
            process.executableURL = Bundle.main.bundleURL.appending(path: "Notes")
            process.environment = environment.merging(["TMPDIR": NSTemporaryDirectory()]) { own, _ in own }
            process.standardOutput = output
            process.standardError = errors
            try process.run()
        }

        /// The exit status and what was written until then.
        func end() -> (status: Int32, output: String, errors: String) {
            let output = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            let errors = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            return (process.terminationReason == .exit ? process.terminationStatus : -1, output, errors)
        }
    }

    @Test("It says where it listens, serves, and ends with 0 at SIGTERM; its temporary database goes with it")
    func serves() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "process-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let run = try Run(["PORT": "0", "TMPDIR": folder.path])
        defer { run.process.terminate() }
        let line = String(decoding: run.output.fileHandleForReading.availableData, as: UTF8.self)
        let match = try #require(line.wholeMatch(of: #/listening on http://127\.0\.0\.1:([0-9]+)\n/#))
        let client = NotesClient(port: try #require(Int(match.1)))
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

    @Test("Notes in a file of one's own are there after a restart")
    func keepsDatabase() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "kept-\(UUID().uuidString).sqlite")
        defer {
            for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: file.path + suffix) }
        }
        for count in 0...1 {
            let run = try Run(["PORT": "0", "NOTES_DATABASE": file.path])
            defer { run.process.terminate() }
            let line = String(decoding: run.output.fileHandleForReading.availableData, as: UTF8.self)
            let client = NotesClient(port: try #require(Int(line.dropLast().split(separator: ":").last ?? "")))
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
            (["PORT": "0", "NOTES_DATABASE": "/nowhere/notes.sqlite"], "/nowhere/notes.sqlite"),
            (["PORT": "0", "NOTES_DATABASE": "/etc/passwd"], "/etc/passwd"),
        ]
    )
    func badSettings(environment: [String: String], mention: String) throws {
        let (status, output, errors) = try Run(environment).end()
        #expect(status == 1)
        #expect(output.isEmpty)
        #expect(errors.hasPrefix("notes: ") && errors.contains(mention))
        #expect(errors.filter(\.isNewline).count == 1 && errors.hasSuffix("\n"))
    }
}
