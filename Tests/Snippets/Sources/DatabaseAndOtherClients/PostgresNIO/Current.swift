// snippet DatabaseAndOtherClients.md: PostgresNIO

let postgres = PostgresClient()
let logger = Logger(label: "notes")
