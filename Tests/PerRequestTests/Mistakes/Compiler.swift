import Foundation

/// The compiler, for what must not compile.
enum Compiler {
    /// What it says of a file: its errors, and its warnings.
    ///
    /// - Parameter code: What follows `import PerRequest` and ``declarations``.
    static func messages(about code: String) throws -> [String] {
        let folder = FileManager.default.temporaryDirectory.appending(path: "mistake-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: "mistake.swift")
        try Data((declarations + code).utf8).write(to: file)
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        // What is sent from one task to another is checked after the types are.
        process.arguments =
            ["swiftc", "-emit-sil", "-wmo", "-o", "/dev/null", "-parse-as-library", "-swift-version", "6"]
            + [
                "-diagnostic-style", "llvm", "-I", modules.path(percentEncoded: false),
                file.path(percentEncoded: false),
            ]
        let output = Pipe()
        process.standardOutput = FileHandle.nullDevice
        process.standardError = output
        try process.run()
        let text = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return String(decoding: text, as: UTF8.self).split(separator: "\n").compactMap { line in
            line.firstMatch(of: /:\d+: (?=error: |warning: )/).map { String(line[$0.range.upperBound...]) }
        }
    }

    /// Where the modules are that this test is built with.
    private static var modules: URL {
        let test = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        return test.appending(path: "Modules")
    }

    private static let declarations = """
        import PerRequest
        struct User: Sendable { var name = "" }
        struct Transaction: Sendable { func insert() {} }
        final class Connection: Sendable {
            func withTransaction<Value>(_ body: (Transaction) async throws -> Value) async throws -> Value {
                try await body(Transaction())
            }
            func withNothing(_ body: (Transaction) async throws -> Void) async throws { try await body(Transaction()) }
        }
        final class Client {
            var rows = 0
            func query() async throws -> Int { rows }
        }
        enum Current {
            static let user = RequestLocal<User?>("user")
            static let locale = RequestLocal("locale", default: "en")
            static let connection = RequestResource("connection") { Connection() } release: { _, _ in }
            static let client = RequestResource("client") { Client() } release: { _, _ in }
            static let transaction = RequestResource.around(
                "transaction",
                on: connection,
                released: .beforeResponse
            ) { connection, use in
                try await connection.withTransaction { transaction in try await use(transaction) }
            }
        }

        """
}
