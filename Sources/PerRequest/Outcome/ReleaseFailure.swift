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
    public var description: String { "\"\(resource)\", acquired at \(acquiredAt): \(error)" }
}

/// A place in the source code.
public struct SourcePosition: Hashable, Sendable {
    /// The module and the file's name, as `#fileID` gives them.
    public let fileID: String

    /// The line, from 1.
    public let line: UInt
}

extension SourcePosition: CustomStringConvertible {
    /// The file and the line, such as `Notes/Current.swift:12`.
    public var description: String { "\(fileID):\(line)" }
}
