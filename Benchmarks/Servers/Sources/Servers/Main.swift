import Dispatch
import PerRequestInspector

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// `Servers hummingbird|grpc|nio plain|adapter`, or `Servers hummingbird inspector`, serves on a free port of the loopback, which
/// it prints, until it is killed.
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

    static func printPort(_ port: Int?) {
        print(port ?? 0)
        fflush(nil)
    }

    private static func serve(_ arguments: [String]) async throws {
        switch arguments {
        case ["hummingbird", "plain"]: try await serveHummingbird()
        case ["hummingbird", "adapter"]: try await serveHummingbirdWithStores()
        case ["hummingbird", "inspector"]:
            // Full before anything is counted: what it costs from then on.
            try await serveHummingbirdWithStores(RequestInspector(keepsClosedRequests: 50))
        case ["grpc", "plain"]: try await serveGRPC()
        case ["grpc", "adapter"]: try await serveGRPCWithStores()
        case ["nio", "plain"]: try await serveNIO()
        case ["nio", "adapter"]: try await serveNIOWithStores()
        default: print("hummingbird, grpc or nio, plain or adapter?")
        }
    }
}
