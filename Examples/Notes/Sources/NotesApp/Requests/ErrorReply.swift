import Foundation
import HTTPTypes
import Hummingbird
import NIOHTTP1
import PerRequest

/// What a client is told about an error.
///
/// It gives nothing away that is not meant for it.
struct ErrorReply {
    let status: HTTPResponse.Status
    let message: String
    var headers = HTTPFields()

    init(_ status: HTTPResponse.Status, _ message: String? = nil) {
        self.status = status
        self.message = message ?? status.reasonPhrase
    }

    init(_ error: any Error) {
        switch error {
        case let error as HTTPError:
            self.init(error.status, error.body)
            headers = error.headers
        case is HTTPParserError:
            self.init(.badRequest, "The request is not valid HTTP.")
        case let error as NoteDraft.Invalid:
            self.init(.badRequest, error.message)
        case let error as RequestStoreError where error.isTimeout:
            self.init(.serviceUnavailable, "The database is busy. Please try again in a moment.")
            headers[.retryAfter] = "1"
        case let error as RequestStoreError where error.isTooMuchWork:
            self.init(.serviceUnavailable, "The service is busy. Please try again in a moment.")
            headers[.retryAfter] = "1"
        case PostgresError.cannotConnect:
            self.init(.serviceUnavailable, "The database cannot be reached. Please try again in a moment.")
            headers[.retryAfter] = "1"
        case let error as any HTTPResponseError:
            self.init(error.status)
        default:
            self.init(.internalServerError)
        }
    }

    /// What a client is told when its request was served and then could not be committed.
    ///
    /// `status` is 500, or 503 where it took too long.
    init(failedCommit error: RequestReleaseError, _ status: HTTPResponse.Status) {
        for failure in error.failures {
            switch failure.error {
            case PostgresError.statementFailed(PostgresError.uniqueViolation, _):
                self.init(.conflict, "There is such a note already.")
                return
            case PostgresError.commitUnknown:
                self.init(.serviceUnavailable, Self.unknown)
                return
            default: break
            }
        }
        self.init(status, status == .serviceUnavailable ? Self.unknown : "The change could not be saved.")
    }

    private static let unknown = "It is not known whether the change was saved."

    /// The response that says so, in JSON.
    var response: Response {
        struct Body: Encodable {
            struct Content: Encodable { let message: String }
            let error: Content
        }
        let json = (try? JSONEncoder().encode(Body(error: .init(message: message)))) ?? Data()
        var headers = headers
        headers[.contentType] = "application/json; charset=utf-8"
        return Response(status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: json)))
    }
}

extension RequestStoreError {
    fileprivate var isTimeout: Bool {
        if case .acquireTimedOut = reason { true } else { false }
    }

    fileprivate var isTooMuchWork: Bool {
        switch reason {
        case .backgroundWorkFull, .backgroundWorkNotRunning: true
        default: false
        }
    }
}
