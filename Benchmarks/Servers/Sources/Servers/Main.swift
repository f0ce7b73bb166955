/// `Servers hummingbird|grpc plain|adapter` serves on a free port of the loopback, which it prints, until it is killed.
@main
enum Main {
    static func main() async throws {
        switch Array(CommandLine.arguments.dropFirst()) {
        case ["hummingbird", "plain"]: try await serveHummingbird()
        case ["hummingbird", "adapter"]: try await serveHummingbirdWithStores()
        case ["grpc", "plain"]: try await serveGRPC()
        case ["grpc", "adapter"]: try await serveGRPCWithStores()
        default: print("hummingbird or grpc, plain or adapter?")
        }
    }
}
