/// A place in a server from which a request's code reaches its store: what an adapter is measured on.
@nonexhaustive
public enum RequestCodePath: String, CaseIterable, Hashable, Sendable {
    /// The handler of a route or a method.
    case handler = "route handlers"
    /// Tasks that the handler starts.
    case childTasks = "child tasks"
    /// Middleware or interceptors, on the way in and on the way out.
    case middleware = "middleware, both ways"
    /// A body that is made while it is written, after the handler has returned.
    case streamedBody = "streamed bodies"
    /// What makes a response of an error.
    case errorMapping = "error mapping"
    /// The releases of the request's resources.
    case releases = "releases"
    /// What has to succeed before the client is promised a success: the commit of a form post.
    case commit = "commit before the success"
    /// Callbacks on other threads.
    case callbacks = "callbacks on other threads"
    /// Work that a request leaves for after its response.
    case afterResponse = "work after the response"
    /// A client that leaves before its response was written.
    case clientLeaving = "a client that leaves"
    /// Requests that are served at the same time.
    case concurrentRequests = "concurrent requests"
    /// The next request of the same connection.
    case nextRequest = "the connection's next request"
}

extension RequestCodePath: CustomStringConvertible {
    /// What it is, in a few words.
    public var description: String { rawValue }
}
