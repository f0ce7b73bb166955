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

    let requests: Requests
    let resources: Resources
    let releaseErrors: Int
}
