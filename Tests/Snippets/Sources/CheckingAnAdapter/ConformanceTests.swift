import PerRequest
import PerRequestTesting
import Testing

// snippet CheckingAnAdapter.md: Overview (2)
