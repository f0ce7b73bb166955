// snippet DatabaseAndOtherClients.md: GRDB
