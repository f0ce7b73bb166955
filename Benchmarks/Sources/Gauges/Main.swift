/// `Gauges memory`, `Gauges readers` and `Gauges growth` measure that, and print lines of a name, a tab and a number.
@main
enum Main {
    static func main() async throws {
        switch CommandLine.arguments.dropFirst().first {
        case "memory": try await measureMemory()
        case "readers": try await measureReaders()
        case "growth": try await measureGrowth()
        default: print("memory, readers or growth?")
        }
    }

    static func report(_ name: String, _ number: Double) {
        print(name, number, separator: "\t")
    }
}
