import PerRequest

/// A type of the library.
public struct Tenant: Sendable {
    static let example = Tenant(name: "example")

    let name: String
}

// snippet UsingInALibrary.md: Overview

func greeting() -> String { "Hello, \(Tenant.current.value?.name ?? "stranger")" }
