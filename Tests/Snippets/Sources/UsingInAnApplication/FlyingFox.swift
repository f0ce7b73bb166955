import FlyingFox
import PerRequestFlyingFox

func serve(_ routes: RoutedHTTPHandler) async throws {
    // snippet UsingInAnApplication.md: Set it up (4)
    try await server.run()
}
