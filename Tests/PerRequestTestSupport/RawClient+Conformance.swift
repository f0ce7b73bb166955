#if Hummingbird || NIO || FlyingFox
package import PerRequestTesting

/// A connection of HTTP/1.1 to a server of the conformance suite.
extension RawClient: ConformanceConnection {
    package func ask(_ requests: [String]) async throws -> [ConformanceAnswer] {
        let heads = requests.map { "GET /\($0) HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n" }
        try await send(heads.joined())
        var answers: [ConformanceAnswer] = []
        for _ in requests {
            let response = try await response()
            answers.append(ConformanceAnswer(httpCode: response.status, body: response.body))
        }
        return answers
    }

    package func open(_ request: String) async throws { try await get("/\(request)") }

    package func readSome() async throws { try await readBody() }

    package func leave() async throws { try await reset() }
}
#endif
