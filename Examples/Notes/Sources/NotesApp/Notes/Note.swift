import Hummingbird

struct Note: Sendable, Codable, ResponseEncodable {
    let id: Int64
    let title: String
    let body: String
}

extension Note {
    /// A note from a row of its id, its title and its body.
    init(_ row: SQLRow) throws {
        self.init(id: try row.integer(0), title: try row.text(1), body: try row.text(2))
    }
}
