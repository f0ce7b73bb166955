#if Inspector
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore

extension Response {
    static func asset(_ content: ByteBuffer, _ type: String) -> Response {
        Response(status: .ok, headers: [.contentType: type], body: ResponseBody(byteBuffer: content))
    }

    /// - Parameter name: The name of the file that a browser makes of it; `nil` where it makes none.
    static func json(_ json: JSON, asFile name: String? = nil) -> Response {
        var headers: HTTPFields = [.contentType: "application/json"]
        if let name { headers[.contentDisposition] = "attachment; filename=\"\(name)\"" }
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: json.bytes)))
    }

    static func text(_ status: HTTPResponse.Status, _ text: String) -> Response {
        let body = ResponseBody(byteBuffer: ByteBuffer(string: text + "\n"))
        return Response(status: status, headers: [.contentType: "text/plain; charset=utf-8"], body: body)
    }

    static func refused(_ reason: String) -> Response { text(.forbidden, reason).guarded() }

    /// Sends a browser from a path to the same with a slash at its end, wherever a proxy has put it.
    static func redirect(to path: String) -> Response {
        let name = path.split(separator: "/").last.map(String.init) ?? ""
        return Response(status: .temporaryRedirect, headers: [.location: "./\(name)/"])
    }

    /// The response with what keeps a browser from doing anything with it but showing it, and no body for `HEAD`.
    func guarded(for method: HTTPRequest.Method = .get) -> Response {
        var response = self
        response.headers[.contentSecurityPolicy] = """
            default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
            base-uri 'none'; form-action 'none'; frame-ancestors 'none'
            """
        response.headers[.xContentTypeOptions] = "nosniff"
        response.headers[HTTPField.Name("Referrer-Policy")!] = "no-referrer"
        response.headers[HTTPField.Name("Cross-Origin-Resource-Policy")!] = "same-origin"
        response.headers[.cacheControl] = "no-store"
        return method == .head ? response.createHeadResponse() : response
    }
}
#endif
