import Dispatch
import Operations

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// `Costs` prints the names of the operations; `Costs NAME COUNT` does one of them COUNT times.
@main
enum Main {
    static func main() {
        let arguments = CommandLine.arguments
        guard arguments.count == 3, let count = Int(arguments[2]) else {
            for cost in Cost.all { print(cost.name) }
            return
        }
        guard let cost = Cost.all.first(where: { $0.name == arguments[1] }) else {
            print("there is no operation \"\(arguments[1])\"")
            exit(1)
        }
        // Not an async `main`: Valgrind does not survive how it waits. And off the main actor, where every suspension would
        // ask for the executor.
        let done = DispatchSemaphore(value: 0)
        Task.detached {
            do {
                print(try await cost.run(count))
            } catch {
                print(error)
                exit(1)
            }
            done.signal()
        }
        done.wait()
    }
}
