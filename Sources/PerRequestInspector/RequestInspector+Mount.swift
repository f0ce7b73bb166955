#if Inspector
import HTTPTypes
public import Hummingbird
import HummingbirdCore
import PerRequest
public import PerRequestHummingbird
import Synchronization

extension RequestInspector {
    /// Mounts the page on a router: at the path, and below it what the page needs.
    ///
    /// Middleware that was added before is run for it, as for any route.
    ///
    /// - Parameters:
    ///   - router: The application's router.
    ///   - path: Where the page is: a path without parameters.
    public func mount(on router: RequestStoreRouter<some RequestContext>, at path: RouterPath = "/_requests") {
        add(to: router.group(path), at: path)
    }

    /// Mounts the page on a group of routes.
    ///
    /// - Parameters:
    ///   - group: The group, whose middleware is run for it.
    ///   - path: Where the page is, below the group's path: a path without parameters.
    public func mount(on group: RequestStoreRouterGroup<some RequestContext>, at path: RouterPath = "/_requests") {
        add(to: group.group(path), at: group.path.appendingPath(path))
    }

    private func add<Context>(to group: RequestStoreRouterGroup<Context>, at path: RouterPath) {
        mounts.withLock { $0.append(MountPath("\(path)")) }
        func add(_ path: RouterPath, _ answer: @escaping @Sendable (Request) -> Response) {
            for method in [HTTPRequest.Method.get, .head] {
                group.on(path, method: method) { [self] request, context -> Response in
                    // A path that is spelt so that it was not known before.
                    if let store = RequestStore.current { hide(store) }
                    if let refusal = try await access.refusal(of: request, context) { return .refused(refusal) }
                    return answer(request).guarded(for: method)
                }
            }
        }
        add("") { request in
            // What the page refers to is below it.
            guard request.uri.path.hasSuffix("/") else { return .redirect(to: request.uri.path) }
            return .asset(Page.html, "text/html; charset=utf-8")
        }
        add("inspector.css") { _ in .asset(Page.style, "text/css; charset=utf-8") }
        add("inspector.js") { _ in .asset(Page.script, "text/javascript; charset=utf-8") }
        add("snapshot") { [self] _ in .json(snapshot()) }
        add("events") { [self] request in events(for: request) }
        add("export.json") { [self] request in .json(snapshot(only: request.wanted), asFile: "requests.json") }
        add("trace.json") { [self] request in
            var json = JSON()
            Trace(look(), only: request.wanted).write(&json)
            return .json(json, asFile: "trace.json")
        }
    }

    private func snapshot(only number: Int? = nil) -> JSON {
        var json = JSON()
        look().write(&json, startedAt: startedAt, capacity: recorder.capacity, only: number)
        return json
    }
}

extension Request {
    /// The one request that is asked for: `-1`, which none has, where that is no number.
    fileprivate var wanted: Int? { uri.queryParameters["id"].map { Int($0) ?? -1 } }
}
#endif
