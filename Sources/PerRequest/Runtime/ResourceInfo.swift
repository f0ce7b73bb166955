/// What the store knows of a resource's key.
final class ResourceInfo: Sendable {
    /// What acquires and releases it.
    enum Function: Sendable {
        case closures(acquire: Acquire, release: Release)
        case around(Around)
        case memo(Acquire)
    }

    typealias Acquire = @Sendable () async throws -> AnyBox
    typealias Release = @Sendable (AnyBox, RequestOutcome) async throws -> Void
    /// Runs the function until it ends; the first closure takes the value, the second one says that it is lost.
    typealias Around =
        @Sendable (
            Gate, @escaping @Sendable (AnyBox) -> Void, @escaping @Sendable () -> Void
        ) async throws -> Void

    let id: Int
    /// What the value is found under in a store's slot while it is held; 0 for a memo.
    let tag: Int32
    let name: String
    let point: ReleasePoint
    let limits: ResourceLimits
    /// Where the key is declared.
    let declaration: SourcePosition?
    /// Whether that has made too many keys for this one to be used.
    let isRefused: Bool
    let function: Function
    let form: Lifecycle.Form
    /// Where the value of a memo is kept.
    let memo: MemoTable.Key?
    /// The identity of the key, which a child store can own.
    var key: Int { memo?.memo ?? id }

    init(
        id: Int? = nil,
        name: String,
        point: ReleasePoint,
        limits: ResourceLimits = ResourceLimits(),
        memo: MemoTable.Key? = nil,
        declaration: SourcePosition? = nil,
        _ function: Function
    ) {
        self.declaration = declaration
        isRefused = declaration.map { !Declarations.admits($0) } ?? false
        self.id = id ?? (isRefused ? 0 : Identity.nextKey())
        if memo != nil {
            tag = 0
        } else if isRefused {
            tag = Declarations.refusedTag
        } else {
            tag = ValueKey.tag(Identity.nextLocal(), isCarried: false)
        }
        self.name = name
        self.point = point
        self.limits = limits
        self.memo = memo
        self.function = function
        form =
            switch function {
            case .closures: .resource
            case .around: .around
            case .memo: .memo
            }
    }

}
