/// How the values of a key travel to other processes: under which name, and as what text.
///
/// ```swift
/// static let tenant = RequestLocal<Tenant?>("tenant", propagated: "tenant")
/// static let locale = RequestLocal(
///     "locale",
///     default: Locale.english,
///     propagated: RequestPropagation("locale", encode: \.identifier, decode: Locale.init(known:))
/// )
/// ```
///
/// A key says that its values may leave, and what sends and receives them does so: `RequestBaggage` of `PerRequestTracing`. A value
/// that was set travels, a default does not.
///
/// What arrives was written by somebody else: `decode` is where it is checked.
///
/// **Isolation.** The closures are called from any task, and never under a lock.
public struct RequestPropagation<Value: Sendable>: Sendable {
    /// The name of the value in what travels, the same in all processes.
    ///
    /// It is a contract with them: a token of HTTP, such as `tenant` or `shop.tenant`, that one key of a process has.
    public let name: String

    package let encode: @Sendable (Value) -> String?
    package let decode: @Sendable (String) -> Value?

    /// Makes a value travel as a text of your own.
    ///
    /// - Parameters:
    ///   - name: Its name in what travels, a token of HTTP.
    ///   - encode: Makes the text, without control characters; `nil` where a value does not travel.
    ///   - decode: Makes the value of a text that somebody else wrote; `nil` where that is none.
    public init(
        _ name: String,
        encode: @escaping @Sendable (Value) -> String?,
        decode: @escaping @Sendable (String) -> Value?
    ) {
        self.name = name
        self.encode = encode
        self.decode = decode
    }

    /// The same, of a key that is `nil` until it is set: `nil` does not travel.
    var ofOptional: RequestPropagation<Value?> {
        let (encode, decode) = (encode, decode)
        return RequestPropagation<Value?>(
            name,
            encode: { $0.flatMap(encode) },
            decode: { decode($0).map(Optional.some) }
        )
    }
}

extension RequestPropagation where Value: LosslessStringConvertible {
    /// Makes a value travel as its description.
    ///
    /// - Parameter name: Its name in what travels, a token of HTTP.
    public init(_ name: String) {
        self.init(name, encode: { $0.description }, decode: { Value($0) })
    }
}

extension RequestPropagation: ExpressibleByStringLiteral, ExpressibleByExtendedGraphemeClusterLiteral,
    ExpressibleByUnicodeScalarLiteral
where Value: LosslessStringConvertible {
    /// Makes a value travel as its description, under this name.
    public init(stringLiteral name: String) { self.init(name) }
}
