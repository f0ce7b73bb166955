/// A client's connection to a server of the conformance suite.
///
/// **Isolation.** One task uses it at a time.
public protocol ConformanceConnection: Sendable {
    /// Sends requests and reads the whole response to each, in order.
    ///
    /// - Parameter requests: Their names: letters, digits and hyphens. All are sent before the first response is read, if
    ///   the protocol allows that.
    /// - Throws: Where a response cannot be read.
    func ask(_ requests: [String]) async throws -> [ConformanceAnswer]

    /// Sends a request, without reading the response.
    func open(_ request: String) async throws

    /// Reads until some of the body of the response to the opened request is there.
    ///
    /// - Throws: Where the response ends without.
    func readSome() async throws

    /// Goes away without reading on.
    func leave() async throws

    /// Closes the connection.
    func close() async throws
}

extension ConformanceConnection {
    /// Sends a request and reads the whole response.
    func ask(_ request: String) async throws -> ConformanceAnswer {
        let answers = try await ask([request])
        guard answers.count == 1 else { throw ConformanceFailure("there are \(answers.count) answers to one request") }
        return answers[0]
    }
}
