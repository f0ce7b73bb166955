import PerRequest
import Vapor

enum VaporTheirs {
    // snippet ComingFrom.md: Vapor's storage
}

enum VaporOurs {
    // snippet ComingFrom.md: Vapor's storage (2)
}

private func user(of request: Request) async throws -> User { alice }
