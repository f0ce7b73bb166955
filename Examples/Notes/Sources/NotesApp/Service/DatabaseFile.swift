import Foundation

/// Where the database is, and whether it goes away with the service.
struct DatabaseFile: Sendable {
    let path: String
    private let temporaryFolder: URL?

    /// The file at `path`, or a fresh temporary one.
    init(_ path: String?) throws {
        if let path {
            self.path = path
            temporaryFolder = nil
        } else {
            let folder = FileManager.default.temporaryDirectory.appending(path: "notes-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            self.path = folder.appending(path: "notes.sqlite").path
            temporaryFolder = folder
        }
    }

    func removeIfTemporary() {
        guard let temporaryFolder else { return }
        try? FileManager.default.removeItem(at: temporaryFolder)
    }
}
