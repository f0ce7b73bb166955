import PerRequest

extension Misuse {
    /// Of values that travel to other processes.
    static let ofTravels = [
        Misuse(
            53,
            "two keys travel under one name",
            says: """
                request 7: "customer", used at Shop/Routes.swift:12: it cannot be used: "shop.customer", the name \
                under which it is to travel, is that of the key declared at Shop/Current.swift:4:23. Give one of \
                them another `propagated:` name. [notPropagable]
                """
        ) {
            func key(in file: String) -> RequestLocal<String?> {
                RequestLocal("customer", propagated: "shop.customer", fileID: file, line: 4, column: 23)
            }
            let (first, second) = (key(in: keys), key(in: "Shop/Accounts.swift"))
            return try await withRequestStore(id: "7") { _ in
                try first.set("acme")
                return await words { try second.set("acme", fileID: routes, line: 12) }
            }
        },
        Misuse(
            54,
            "a key travels under a name that is none",
            says: """
                request 7: "customer", used at Shop/Routes.swift:12: it cannot be used: nothing can travel as "the \
                customer". Let `propagated:` have a name of letters, digits and any of !#$%&'*+-.^_`|~. \
                [notPropagable]
                """
        ) {
            let key = RequestLocal("customer", default: 0, propagated: "the customer")
            return try await withRequestStore(id: "7") { _ in
                await words { try key.update(fileID: routes, line: 12) { $0 += 1 } }
            }
        },
        Misuse(
            55,
            "a client sends what is no value",
            says: """
                request 7: not all that should travel with it did: "shop.customer" is malformed. Look at who sent \
                it. [notPropagated]
                """
        ) {
            // What `RequestBaggage` of PerRequestTracing reports, which the trait `Tracing` has.
            await serve { store in store.report(unpropagated: ["\"shop.customer\" is malformed"]) }.joined()
        },
    ]
}
