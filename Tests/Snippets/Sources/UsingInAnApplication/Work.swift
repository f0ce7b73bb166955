import Hummingbird
import PerRequest
import PerRequestHummingbird

func welcome() throws {
    // snippet UsingInAnApplication.md: Work after the response
}

func working(_ router: RequestStoreRouter<BasicRequestContext>) -> some ApplicationProtocol {
    // snippet UsingInAnApplication.md: Work after the response (2)
    return app
}

struct Mailer: Sendable {
    enum Mail {
        case welcome
    }

    static func send(_ mail: Mail, to user: User) async throws {}
}
