import PerRequest
import PerRequestAdapters

extension Cost {
    static let scopes = [
        Cost(name: "open and close an unused store") { count in
            var sum = 0
            for _ in 0..<count { sum &+= try await withRequestStore { _ in await one() } }
            return sum
        },
        Cost(name: "open and close an unused store, as an adapter does it") { count in
            var sum = 0
            for _ in 0..<count {
                let scope = RequestScope()
                sum &+= await scope.run { await one() }
                await scope.settle()
                await scope.close()
            }
            return sum
        },
        Cost(name: "open and close a store with 1 resource") { count in
            var sum = 0
            for _ in 0..<count {
                sum &+= try await withRequestStore { _ in try await Resources.all[0].get().number }
            }
            return sum
        },
        Cost(name: "open and close a store with 4 resources") { count in
            var sum = 0
            for _ in 0..<count {
                sum &+= try await withRequestStore { _ in
                    let resources = Resources.all
                    let things = try await (
                        resources[0].get(), resources[1].get(), resources[2].get(), resources[3].get()
                    )
                    return things.0.number &+ things.1.number &+ things.2.number &+ things.3.number
                }
            }
            return sum
        },
        Cost(name: "open and close a store with 1 transaction") { count in
            var sum = 0
            for _ in 0..<count {
                sum &+= try await withRequestStore { _ in try await Resources.transaction.get().number }
            }
            return sum
        },
        Cost(name: "open and close a store that hands work over") { count in
            var sum = 0
            for _ in 0..<count {
                sum &+= try await withRequestStore { _ in
                    try RequestStore.afterResponse("work") { _ = await one() }
                    return await one()
                }
            }
            return sum
        },
    ]
}
