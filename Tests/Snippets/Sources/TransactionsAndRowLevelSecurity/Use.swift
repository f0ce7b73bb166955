import PerRequest
import PostgresNIO

func create(_ title: String) async throws {
    // snippet TransactionsAndRowLevelSecurity.md: Overview (2)
}

func page(_ write: (String) async throws -> Void) async throws {
    // snippet TransactionsAndRowLevelSecurity.md: A page that streams after the commit (2)
}

func importAll(_ titles: [String]) async throws -> [String] {
    // snippet TransactionsAndRowLevelSecurity.md: Savepoints (2)
    return rejected
}

func audit(_ what: String) throws {
    // snippet TransactionsAndRowLevelSecurity.md: What has to be kept, whatever becomes of the request
}
