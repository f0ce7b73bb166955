import Foundation
import Synchronization
import Testing

@testable import PerRequest

@Suite("Tmp", .serialized) struct TmpTests {
    @Test(arguments: [500, 1000, 2000, 4000]) func chain(_ count: Int) async throws {
        final class Keys: Sendable { let all = Lock<[RequestResource<Int>]>([]) }
        let keys = Keys()
        for number in 0..<count {
            let key = RequestResource<Int>("r\(number)") {
                guard number > 0 else { return 0 }
                return try await keys.all.withLock({ $0[number - 1] }).get() + 1
            } release: { _, _ in
            }
            keys.all.withLock { $0.append(key) }
        }
        for mode in 0..<3 {
            let scope = RequestScope()
            let all = keys.all.withLock { $0 }
            var t = ContinuousClock.now
            try await scope.run {
                if mode < 2 {
                    for key in all { _ = try await key.get() }
                } else if count <= 1000 {
                    _ = try await all[count - 1].get()
                }
                print("TMP \(count) mode \(mode) acquire \(t.duration(to: .now))"); t = .now
                if mode == 1 {
                    try await all[0].release(.commit); print("TMP \(count) early \(t.duration(to: .now))"); t = .now
                }
            }
            await scope.close()
            print("TMP \(count) close \(t.duration(to: .now))")
        }
        keys.all.withLock { $0 = [] }
    }
}
