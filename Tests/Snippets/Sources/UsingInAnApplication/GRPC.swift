import GRPCCore
import GRPCNIOTransportHTTP2Posix
import PerRequest
import PerRequestGRPC

func serveRPCs(on address: GRPCNIOTransportHTTP2Posix.SocketAddress) async throws {
    // snippet UsingInAnApplication.md: Set it up (3)
    _ = try await server.transport.base.listeningAddress
}

/// What is generated in earnest.
struct NotesService: RegistrableRPCService {
    func registerMethods(with router: inout RPCRouter<some ServerTransport>) {}
}
