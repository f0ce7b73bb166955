import HTTPTypes
import Hummingbird

/// Whose notes a request is about.
struct Tenant: Sendable {
    static let `public` = Tenant(unchecked: "public")

    let name: String

    var isPublic: Bool { name == Self.public.name }

    /// The tenant that a request's headers name.
    init(_ headers: HTTPFields) throws(HTTPError) {
        guard let name = headers[.tenant] else {
            self = .public
            return
        }
        guard let tenant = Tenant(name) else {
            throw HTTPError(.badRequest, message: "X-Tenant must be 1 to 32 characters of a-z, 0-9 and -.")
        }
        self = tenant
    }

    /// The tenant that a request names, if it names one: in its headers, or else in its address, as a browser does.
    static func named(by request: Request) throws(HTTPError) -> Tenant? {
        if request.headers[.tenant] != nil { return try Tenant(request.headers) }
        guard let name = request.uri.queryParameters["tenant"] else { return nil }
        guard let tenant = Tenant(String(name)) else {
            throw HTTPError(.badRequest, message: "`tenant` must be 1 to 32 characters of a-z, 0-9 and -.")
        }
        return tenant
    }

    private init(unchecked name: String) {
        self.name = name
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
        default: false
        }
    }
}

/// As it travels to other processes.
extension Tenant: LosslessStringConvertible {
    var description: String { name }

    /// The tenant of a name that anybody may have written.
    init?(_ name: String) {
        guard (1...32).contains(name.utf8.count), name.utf8.allSatisfy(Self.isAllowed) else { return nil }
        self.init(unchecked: name)
    }
}
