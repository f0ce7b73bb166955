import Dispatch

/// `Servers hummingbird|grpc plain|adapter` serves on a free port of the loopback, which it prints, until it is killed.
@main
enum Main {
    static func main() {
        // Not an async `main`: Valgrind does not survive how it waits.
        let done = DispatchSemaphore(value: 0)
        Task.detached {
            do { try await serve(Array(CommandLine.arguments.dropFirst())) } catch { print(error) }
            done.signal()
        }
        done.wait()
    }

    private static func serve(_ arguments: [String]) async throws {
        switch arguments {
        case ["hummingbird", "plain"]: try await serveHummingbird()
        case ["hummingbird", "adapter"]: try await serveHummingbirdWithStores()
        case ["grpc", "plain"]: try await serveGRPC()
        case ["grpc", "adapter"]: try await serveGRPCWithStores()
        default: print("hummingbird or grpc, plain or adapter?")
        }
    }
}
