/// What the environment says about how to run.
public struct NotesSettings: Sendable {
    struct Invalid: Error, CustomStringConvertible {
        let description: String
    }

    /// The port on 127.0.0.1; 0 picks a free one.
    let port: Int
    /// The database's file; nil stands for a fresh one that goes away with the service.
    let database: String?

    init(port: Int, database: String?) {
        self.port = port
        self.database = database
    }

    /// Reads `PORT` and `NOTES_DATABASE`.
    public init(environment: [String: String]) throws {
        database = environment["NOTES_DATABASE"]
        guard let text = environment["PORT"] else {
            port = 8080
            return
        }
        guard let port = UInt16(text) else {
            throw Invalid(description: "PORT must be a number from 0 to 65535, not \"\(text)\"")
        }
        self.port = Int(port)
    }
}
