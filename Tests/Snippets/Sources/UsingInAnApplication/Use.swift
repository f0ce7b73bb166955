import Hummingbird
import PerRequest

func values(_ alice: User) throws {
    // snippet UsingInAnApplication.md: Values
    _ = (user, name)
}

func authorized() throws -> User {
    // snippet UsingInAnApplication.md: Values (2)
    return user
}

func resources() async throws -> [String] {
    // snippet UsingInAnApplication.md: Resources
    // snippet UsingInAnApplication.md: Resources (2)
    return notes
}

func part() async throws {
    // snippet UsingInAnApplication.md: Parts of a request
}

func importAll(_ rows: [String], _ index: Index) async throws -> [String] {
    var rejected: [String] = []
    // snippet UsingInAnApplication.md: Parts of a request (3)
    return rejected
}

func keep(_ record: String) async throws {
    // snippet UsingInAnApplication.md: Parts of a request (4)
}
