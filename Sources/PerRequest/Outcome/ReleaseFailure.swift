/// One resource that could not be released as it should have been.
public struct ReleaseFailure: Error {
    /// The resource's name.
    public let resource: String

    /// Where the resource was acquired: the file and line of the first `get` or `use`.
    public let acquiredAt: SourcePosition

    /// What the release threw.
    ///
    /// A ``RequestStoreError`` where it overran its limit or was lost.
    public let error: any Error
}

extension ReleaseFailure: CustomStringConvertible {
    /// The resource, where it was acquired, and the error.
    public var description: String { "\"\(resource)\", acquired at \(acquiredAt): \(what)" }

    /// The error, without the key that it is about.
    private var what: String {
        guard let error = error as? RequestStoreError, error.key == resource else { return "\(error)" }
        return error.remedy
    }
}

/// A place in the source code.
public struct SourcePosition: Hashable, Sendable {
    /// The module and the file's name, as `#fileID` gives them.
    public let fileID: String

    /// The line, from 1.
    public let line: UInt

    /// The column, from 1, where it is known: that of a key's declaration.
    public let column: UInt?

    init(fileID: String, line: UInt, column: UInt? = nil) {
        self.fileID = fileID
        self.line = line
        self.column = column
    }
}

extension SourcePosition: CustomStringConvertible {
    /// The file, the line and the column, such as `Notes/Current.swift:12` or `Notes/Current.swift:12:23`.
    public var description: String { "\(fileID):\(line)\(column.map { ":\($0)" } ?? "")" }
}
