import PerRequest
import PerRequestAdapters
import PerRequestTesting
import Testing

@Suite("Rule 23: the conformance suite finds what an adapter does wrong", .timeLimit(.minutes(5)))
struct SuiteTests {
    @Test("an adapter without a mistake and without a list passes", arguments: ConformanceCheck.all)
    func passes(_ check: ConformanceCheck) async throws {
        #expect(try await check.run(on: HandmadeServer()) == .passed)
    }

    @Test("an adapter that leaves the end to the scope's owner passes", arguments: ConformanceCheck.all)
    func passesByOwner(_ check: ConformanceCheck) async throws {
        #expect(try await check.run(on: HandmadeServer(closesByOwner: true)) == .passed)
    }

    @Test("every mistake fails a check of what it breaks", arguments: HandmadeServer.Mistake.allCases)
    func finds(_ mistake: HandmadeServer.Mistake) async throws {
        let (rule, codePath) = mistake.breaks
        var failures = 0
        for check in ConformanceCheck.all where check.rule == rule && check.codePath == codePath {
            do {
                // What is bound is never closed: there is nothing to wait for.
                let patience = mistake == .bindsItsOwner ? Duration.seconds(2) : ConformanceCheck.patience
                try await ConformanceCheck.$patience.withValue(patience) {
                    _ = try await check.run(on: HandmadeServer(mistake: mistake))
                }
            } catch is ConformanceFailure {
                failures += 1
            }
        }
        #expect(failures > 0)
    }

    @Test("a server whose requests share the store that it was started in fails the check of rule 2")
    func sharing() async throws {
        let check = try #require(ConformanceCheck.all.first { $0.rule == 2 })
        await #expect(throws: ConformanceFailure.self) {
            try await check.run(on: WithRequestStoreServer(nesting: .child))
        }
    }

    @Test("what is listed as wholly unmet is not run, what is listed as partly unmet is")
    func unmet() async throws {
        for check in ConformanceCheck.all {
            let result = try await check.run(on: WithRequestStoreServer())
            let isListed = WithRequestStoreServer.unmetGuarantees.contains {
                $0.extent == .wholly && $0.rule == check.rule && $0.codePath == check.codePath
            }
            #expect((result == .passed) == !isListed)
        }
    }

    @Test("every code path has a check")
    func codePaths() {
        #expect(Set(ConformanceCheck.all.map(\.codePath)) == Set(RequestCodePath.allCases))
    }

    @Test("an entry that no check would find out is named")
    func unknown() {
        let entries = [
            UnmetGuarantee(rule: 99, in: .handler, .wholly, "There is no rule 99."),
            UnmetGuarantee(rule: 19, in: .clientLeaving, .wholly, "A client that leaves is not seen."),
            UnmetGuarantee(rule: 22, in: .handler, .partly, "A request that uses nothing has a cost."),
        ]
        #expect(ConformanceCheck.unknown(in: entries) == [entries[0]])
    }
}
