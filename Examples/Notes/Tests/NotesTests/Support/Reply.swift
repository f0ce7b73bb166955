import Foundation
import HTTPTypes

/// A response that has arrived as a whole.
struct Reply: Sendable {
    let status: Int
    let headers: HTTPFields
    let body: String

    var requestID: String? { headers[HTTPField.Name("X-Request-ID")!] }
    var client: Int? { headers[HTTPField.Name("X-Database-Client")!].flatMap { Int($0) } }

    func json<Value: Decodable>(as type: Value.Type = Value.self) throws -> Value {
        try JSONDecoder().decode(type, from: Data(body.utf8))
    }

    /// The message of an error; throws if the body is anything else.
    func errorMessage() throws -> String {
        struct Body: Decodable {
            struct Content: Decodable { let message: String }
            let error: Content
        }
        return try json(as: Body.self).error.message
    }
}

struct NoteReply: Decodable, Equatable {
    let id: Int
    let title: String
    let body: String
}

struct WhoAmIReply: Decodable {
    let request: String
    let tenant: String
    let client: Int
    let clientSeenByMiddleware: Int
    let clientSeenByChildTasks: [Int]
}

struct HealthReply: Decodable {
    struct Requests: Decodable {
        let opened: Int
        let open: Int
    }

    struct Resources: Decodable {
        let acquired: Int
        let released: Int
        let held: Int
    }

    struct Jobs: Decodable {
        let reserved: Int
        let waiting: Int
        let running: Int
    }

    let requests: Requests
    let resources: Resources
    let releaseErrors: Int
    let jobs: Jobs
}
