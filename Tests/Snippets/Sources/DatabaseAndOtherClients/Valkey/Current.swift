// snippet DatabaseAndOtherClients.md: Valkey

let valkey = ValkeyClient()
