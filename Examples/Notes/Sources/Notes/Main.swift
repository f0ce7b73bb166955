import Foundation
import NotesApp

@main
enum Main {
    static func main() async {
        do {
            let settings = try NotesSettings(
                environment: ProcessInfo.processInfo.environment,
                arguments: Array(CommandLine.arguments.dropFirst())
            )
            try Travels.bootstrap()
            try await NotesService(settings).run { port in
                print("listening on http://127.0.0.1:\(port)", to: .standardOutput)
            } onListeningRPC: { port in
                print("listening for gRPC on 127.0.0.1:\(port)", to: .standardOutput)
            }
        } catch {
            print("notes: \(error)", to: .standardError)
            exit(1)
        }
    }

    /// Writes a line that does not wait in a buffer.
    private static func print(_ line: String, to file: FileHandle) {
        file.write(Data("\(line)\n".utf8))
    }
}
