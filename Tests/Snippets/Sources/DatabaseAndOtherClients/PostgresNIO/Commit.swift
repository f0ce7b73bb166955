import NIOCore
import PostgresNIO

// snippet DatabaseAndOtherClients.md: PostgresNIO (2)
