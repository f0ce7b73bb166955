import Foundation

/// The executable itself, as a process.
struct NotesProcess {
    let process = Process()
    let output = Pipe()
    let errors = Pipe()

    init(_ environment: [String: String], arguments: [String] = []) throws {
        process.arguments = arguments
        process.executableURL = Bundle.main.bundleURL.appending(path: "Notes")
        process.environment = environment.merging(["TMPDIR": NSTemporaryDirectory()]) { own, _ in own }
        process.standardOutput = output
        process.standardError = errors
        try process.run()
    }

    /// The port in the one line that says where it listens.
    func port() -> Int? {
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        return line.wholeMatch(of: #/listening on http://127\.0\.0\.1:([0-9]+)\n/#).flatMap { Int($0.1) }
    }

    /// The exit status and what was written until then.
    func end() -> (status: Int32, output: String, errors: String) {
        let output = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        let errors = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationReason == .exit ? process.terminationStatus : -1, output, errors)
    }
}
