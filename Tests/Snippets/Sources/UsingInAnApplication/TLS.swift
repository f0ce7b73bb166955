import Hummingbird
import HummingbirdHTTP2
import NIOSSL
import PerRequestHummingbird

func encrypted(_ router: RequestStoreRouter<BasicRequestContext>, _ tls: TLSConfiguration) -> some ApplicationProtocol {
    // snippet UsingInAnApplication.md: Set it up (2)
    return app
}
