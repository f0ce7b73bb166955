/// Overrides that replaced nothing, because no store was opened under them.
public struct UnusedRequestOverrides: Error {
    /// The file of the overrides.
    public let fileID: String

    /// The line of the overrides.
    public let line: UInt
}

extension UnusedRequestOverrides: CustomStringConvertible {
    /// Says where they are, what they do not reach, and where they belong.
    public var description: String {
        """
        no store was opened under the overrides at \(fileID):\(line), so that they replaced nothing. They do not reach a server \
        that runs already, such as that of `app.test(.live) { … }` inside of its closure, nor a store that is open, nor its \
        children: put them around what starts the server or opens the store
        """
    }
}
