import HTTPTypes
import PerRequest

extension HTTPField.Name {
    static let tenant = Self("X-Tenant")!
    static let requestID = Self("X-Request-ID")!
    static let baggage = Self("baggage")!
    static let databaseClient = Self("X-Database-Client")!
}

extension HTTPFields {
    /// Adds the request's id and, if the request has used the database, the id of its lease.
    mutating func addRequestIDs() {
        self[.requestID] = Current.requestID.value
        self[.databaseClient] = (Current.client.valueIfHeld?.id).map(String.init)
    }
}
