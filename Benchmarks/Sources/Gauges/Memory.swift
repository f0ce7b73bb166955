import CMemory
import Operations
import PerRequestAdapters

extension Main {
    /// What an open store takes: the growth over many that are open at once.
    static func measureMemory() async throws {
        for footprint in Footprint.all {
            var most = 0
            // The second round finds what the first one has left, and may not hide in it: the larger one counts.
            for _ in 0..<2 { most = max(most, try await growth(of: footprint)) }
            report(footprint.name, Double(most) / Double(stores))
        }
    }

    private static let stores = 10_000

    private static func growth(of footprint: Footprint) async throws -> Int {
        // One that is not counted makes what all share.
        await footprint.closeAll([try footprint.open()])
        var open: [RequestScope] = []
        open.reserveCapacity(stores)
        let before = bytes_in_use()
        for _ in 0..<stores { open.append(try await footprint.open()) }
        let growth = bytes_in_use() - before
        await footprint.closeAll(open)
        return growth
    }
}
