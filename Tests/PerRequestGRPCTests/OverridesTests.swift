#if GRPC
import GRPCCore
import PerRequest
import PerRequestGRPC
import PerRequestTesting
import Testing

@Suite("Overrides of RPCs", .timeLimit(.minutes(3)))
struct OverridesTests {
    private static let user = RequestLocal<String?>("user")
    private static let connection = RequestResource("connection") {
        "real"
    } release: { _, _ in
    }
    private static let userByID = RequestMemo("userByID") { (id: Int) in "real \(id)" }

    private static let methods: [String: Handler] = [
        "Seen": { _, _ in
            try user.set("set")
            let inHandler = try await connection.get()
            return StreamingServerResponse { writer in
                try await writer.write("\(user.value ?? "-"), \(inHandler), \(userByID(1))")
                return [:]
            }
        }
    ]

    @Test("They reach handler and producer of an RPC in process, and end with their body", arguments: Wire.allCases)
    func reach(wire: Wire) async throws {
        let overrides: [RequestOverride] = [
            .value(of: Self.user, "alice"), .resource(Self.connection) { "fake" },
            .memo(Self.userByID) { id in "fake \(id)" },
        ]
        try await withRequestOverrides(overrides) {
            try await withService(over: wire, Self.methods) { caller in
                let seen = try await caller.call("Seen")
                #expect(seen == ["alice, fake, fake 1"])
            }
        }
        try await withService(over: wire, Self.methods) { caller in
            let seen = try await caller.call("Seen")
            #expect(seen == ["set, real, real 1"])
        }
    }

    @Test("A failing commit is the RPC's status")
    func failingCommit() async throws {
        try await withRequestOverrides([], forcing: .failingCommit) {
            try await withService(over: .inProcess, Self.methods) { caller in
                let error = await #expect(throws: RPCError.self) { try await caller.call("Seen") }
                #expect(error?.code == .internalError)
            }
        }
    }
}
#endif
