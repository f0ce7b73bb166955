#if Inspector
import Foundation

/// What the inspector shows, as INSPECTOR's contract with its page has it.
struct Kept: Decodable {
    let now: Int
    let startedAt: String
    let capacity: Int
    let forgotten: Int
    let overview: Overview
    let requests: [Request]

    init(json: String) throws { self = try JSONDecoder().decode(Kept.self, from: Data(json.utf8)) }

    /// The one request of a route.
    func request(_ route: String) -> Request? { requests.first { $0.route == route } }

    struct Request: Decodable {
        let id, name, kind: String
        let parent, leftBy, transport, method, route: String?
        let opened: Int
        let settled, closed: Int?
        let verdict, outcome, error: String?
        let status: Int?
        let phases: [Phase]
        let acquisitions: [Acquisition]
        let calls: [Call]
        let jobs: [Job]
        let limits: [Limit]
        let values: [Value]
        let dropped: Int

        func acquisition(_ key: String) -> Acquisition? { acquisitions.first { $0.key == key } }
    }

    struct Phase: Decodable {
        let name: String
        let from: Int
        let to: Int?
    }

    struct Acquisition: Decodable {
        let id, key: String
        let declaration: String?
        let askedAt: String
        let inside: String?
        let from: Int
        let acquired, computed, failed, releasing, released: Int?
        let error, releaseError, verdict: String?
        let limits: [Limit]
    }

    struct Call: Decodable {
        let acquisition, kind, key, askedAt: String
        let from: Int
        let to: Int?
        let inside, on, error: String?
    }

    struct Job: Decodable {
        let name: String
        let admitted: Int
        let started, ended: Int?
        let end, error, request: String?
    }

    struct Limit: Decodable {
        let what: String
        let limit, at: Int
    }

    struct Value: Decodable {
        let name: String
        let value: String?
    }

    struct Overview: Decodable {
        let open: Int
        let held: [Held]
        let waiting: [Waiting]
        let pools: [Pool]
        let overdue: [Overdue]
        let leaks: [Leak]
    }

    struct Held: Decodable {
        let key, request, acquisition, askedAt: String
        let declaration: String?
        let since: Int
        let overdue: Bool
    }

    struct Waiting: Decodable {
        let key, request: String
        let waiters, longestSince: Int
    }

    struct Pool: Decodable {
        let key: String
        let holding, acquiring, waiting: Int
    }

    struct Overdue: Decodable {
        let key: String?
        let request, what: String
        let limit, at: Int
    }

    struct Leak: Decodable {
        let request: String
        let key, declaration, askedAt: String?
        let at: Int
    }
}
#endif
