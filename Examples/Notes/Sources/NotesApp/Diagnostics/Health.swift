import Hummingbird

/// The requests and resources of the process so far.
struct Health: ResponseEncodable {
    struct Requests: Encodable {
        let opened: Int
        let open: Int
    }

    struct Resources: Encodable {
        let acquired: Int
        let released: Int
        let held: Int
    }

    /// Work after a response.
    struct Jobs: Encodable {
        let reserved: Int
        let waiting: Int
        let running: Int
    }

    /// The stores: those of requests and those of jobs.
    let requests: Requests
    let resources: Resources
    let releaseErrors: Int
    let jobs: Jobs
}
