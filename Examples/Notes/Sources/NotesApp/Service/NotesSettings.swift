/// What the environment says about how to run.
public struct NotesSettings: Sendable {
    /// Where the notes are.
    enum Database: Sendable {
        /// A file; nil stands for a fresh one that goes away with the service.
        case sqlite(path: String?)
        case postgres(url: String)
    }

    struct Invalid: Error, CustomStringConvertible {
        let description: String
    }

    /// The port on 127.0.0.1; 0 picks a free one.
    let port: Int
    /// The same for gRPC; nil for none.
    let rpcPort: Int?
    let database: Database
    /// One connection for all requests, to see what goes wrong.
    let sharesOneClient: Bool
    /// Only the list of notes, without PerRequest, to see what that costs.
    let leasesByHand: Bool
    /// Neither the inspector nor the metrics are told anything, to see what the rest costs.
    let isUnobserved: Bool

    /// The address of another Notes that gets a copy of each note.
    let mirror: String?

    init(
        port: Int,
        rpcPort: Int? = nil,
        database: Database,
        mirror: String? = nil,
        sharesOneClient: Bool = false,
        leasesByHand: Bool = false,
        isUnobserved: Bool = false
    ) {
        self.port = port
        self.rpcPort = rpcPort
        self.database = database
        self.mirror = mirror
        self.sharesOneClient = sharesOneClient
        self.leasesByHand = leasesByHand
        self.isUnobserved = isUnobserved
    }

    /// Reads `PORT`, `GRPC_PORT`, `NOTES_MIRROR` and either `DATABASE_URL` or `NOTES_DATABASE`, and the arguments `--global-client`,
    /// `--lease-by-hand` and `--unobserved`.
    public init(environment: [String: String], arguments: [String] = []) throws {
        let options = ["--global-client", "--lease-by-hand", "--unobserved"]
        for argument in arguments where !options.contains(argument) {
            let there = options.joined(separator: ", ")
            throw Invalid(description: "there is no option \"\(argument)\"; there are \(there)")
        }
        self.init(
            port: try Self.port("PORT", environment["PORT"] ?? "8080"),
            rpcPort: try environment["GRPC_PORT"].map { try Self.port("GRPC_PORT", $0) },
            database: try Self.database(url: environment["DATABASE_URL"], file: environment["NOTES_DATABASE"]),
            mirror: try environment["NOTES_MIRROR"].map(Self.mirror),
            sharesOneClient: arguments.contains("--global-client"),
            leasesByHand: arguments.contains("--lease-by-hand"),
            isUnobserved: arguments.contains("--unobserved")
        )
    }

    private static func port(_ name: String, _ text: String) throws(Invalid) -> Int {
        guard let port = UInt16(text) else {
            throw Invalid(description: "\(name) must be a number from 0 to 65535, not \"\(text)\"")
        }
        return Int(port)
    }

    private static func mirror(_ url: String) throws(Invalid) -> String {
        guard url.wholeMatch(of: /https?:\/\/[^\/]+/) != nil else {
            throw Invalid(description: "NOTES_MIRROR must be an address such as http://127.0.0.1:8081, not \"\(url)\"")
        }
        return url
    }

    private static func database(url: String?, file: String?) throws(Invalid) -> Database {
        guard let url else { return .sqlite(path: file) }
        guard file == nil else {
            throw Invalid(description: "set DATABASE_URL for PostgreSQL or NOTES_DATABASE for SQLite, not both")
        }
        return .postgres(url: url)
    }
}
