// snippet DatabaseAndOtherClients.md: Fluent

struct NoTransactions: Error {}

func databases() -> any Database { fatalError("yours") }
