import GRDB
import Hummingbird

struct Note: Sendable, Codable, ResponseEncodable, FetchableRecord {
    let id: Int64
    let title: String
    let body: String
}
