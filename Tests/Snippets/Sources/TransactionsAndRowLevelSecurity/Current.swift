import Logging
import PerRequest
import PostgresNIO

// snippet TransactionsAndRowLevelSecurity.md: Overview

// snippet TransactionsAndRowLevelSecurity.md: A page that streams after the commit

// snippet TransactionsAndRowLevelSecurity.md: Savepoints

// snippet TransactionsAndRowLevelSecurity.md: What has to be kept, whatever becomes of the request (2)

// snippet TransactionsAndRowLevelSecurity.md: A retry is not a replay

let postgres = PostgresClient()
let auditPool = PostgresClient()
let logger = Logger(label: "notes")

enum Accounts {
    static func move(_ amount: Int, to account: String) async throws {}
}

func isSerializationFailure(_ error: any Error) -> Bool { false }
