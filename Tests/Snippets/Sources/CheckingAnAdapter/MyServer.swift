// snippet CheckingAnAdapter.md: Overview
