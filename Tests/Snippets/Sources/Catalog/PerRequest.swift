import PerRequest

// snippet PerRequest.md: Overview

let pool = Pool()

struct User: Sendable {}

struct Connection: Sendable {}

struct Pool: Sendable {
    func lease() async throws -> Connection { Connection() }

    func giveBack(_ connection: Connection) async {}
}
