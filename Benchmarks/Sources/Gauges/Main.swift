/// `Gauges memory` and `Gauges readers` measure that, and print lines of a name, a tab and a number.
@main
enum Main {
    static func main() async throws {
        switch CommandLine.arguments.dropFirst().first {
        case "memory": try await measureMemory()
        case "readers": try await measureReaders()
        default: print("memory or readers?")
        }
    }

    static func report(_ name: String, _ number: Double) {
        print(name, number, separator: "\t")
    }
}
