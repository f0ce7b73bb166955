#if Inspector
import HTTPTypes
public import Hummingbird
public import HummingbirdCore
import NIOCore
import PerRequestHummingbird

extension RequestInspector {
    /// Who may see the page and what is on it.
    public struct Access: Sendable {
        enum Rule: Sendable {
            case loopback
            case check(@Sendable (Request, any RequestContext) async throws -> Bool)
        }

        let rule: Rule

        /// Whoever is on the same machine: the connection's other end is on the loopback interface or on a Unix domain socket, and
        /// the request names this machine as its host.
        ///
        /// What a client says of itself makes nobody local. A request that has come through a proxy is not local, even where
        /// the proxy is: one with `Forwarded`, `X-Forwarded-For` or a header like them is refused. What forwards connections on this
        /// machine and adds no such header cannot be told from a browser on it, if it or the client names this machine as the host:
        /// there, use
        /// ``check(_:)``.
        public static let loopback = Access(rule: .loopback)

        /// Whoever passes the application's own check, wherever the request comes from.
        ///
        /// - Parameter isAllowed: Whether the request is answered. It is asked for each of the page's requests, those from
        ///   this machine too; an error that it throws is the response.
        public static func check(
            _ isAllowed: @escaping @Sendable (Request, any RequestContext) async throws -> Bool
        ) -> Access {
            Access(rule: .check(isAllowed))
        }
    }
}

extension RequestInspector.Access {
    /// Why a request is refused; `nil` where it is not.
    func refusal(of request: Request, _ context: some RequestContext) async throws -> String? {
        switch rule {
        case .loopback: Self.refusal(of: request, from: CurrentConnection.peer)
        case .check(let isAllowed): try await isAllowed(request, context) ? nil : "The application does not allow it."
        }
    }

    private static let proxyHeaders = [
        "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Server", "X-Real-IP",
        "Via",
    ].compactMap { HTTPField.Name($0) }

    static func refusal(of request: Request, from peer: SocketAddress?) -> String? {
        let remedy = "To show it to others, make the inspector with `access: .check { … }`."
        guard let peer else { return "It is not known where this request comes from. \(remedy)" }
        guard peer.isLoopback else { return "The inspector answers this machine only. \(remedy)" }
        for name in proxyHeaders where request.headers.contains(name) {
            return
                "This request has come through a proxy, as its header \(name) says: it is not from this machine. \(remedy)"
        }
        // A page from elsewhere can have its host's name lead to this machine: it would read the answer.
        guard let host = request.head.authority, isLoopback(host: host) else {
            return "This request is for another host than localhost, 127.0.0.1 or [::1]. \(remedy)"
        }
        return nil
    }

    /// Whether an authority names this machine, with or without a port.
    private static func isLoopback(host: String) -> Bool {
        ["localhost", "127.0.0.1", "[::1]"].contains { name in
            guard host.lowercased().hasPrefix(name) else { return false }
            let rest = host.dropFirst(name.count)
            return rest.isEmpty || rest.first == ":" && rest.dropFirst().allSatisfy(\.isASCIIDigit)
        }
    }
}

extension Character {
    fileprivate var isASCIIDigit: Bool { isASCII && isNumber }
}

extension SocketAddress {
    /// Whether it is this machine's, and cannot be another's.
    var isLoopback: Bool {
        switch self {
        case .unixDomainSocket: return true
        case .v4: return ipAddress?.hasPrefix("127.") ?? false
        case .v6:
            guard let address = ipAddress else { return false }
            return address == "::1" || address.hasPrefix("::ffff:127.")
        }
    }
}
#endif
