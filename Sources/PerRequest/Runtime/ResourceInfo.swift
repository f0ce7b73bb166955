/// What the store knows of a resource's key.
final class ResourceInfo: Sendable {
    let id: Int
    /// What the value is found under in a store's slot while it is held; 0 for a memo.
    let tag: Int32
    let name: String
    let form: Lifecycle.Form
    let point: ReleasePoint
    let limits: ResourceLimits
    /// Where the value of a memo is kept.
    let memo: MemoTable.Key?
    /// The identity of the key, which a child store can own.
    var key: Int { memo?.memo ?? id }
    // Made once, not for every request.
    let acquireTaskName: String
    let releaseTaskName: String

    init(
        id: Int = Identity.nextKey(),
        name: String,
        form: Lifecycle.Form,
        point: ReleasePoint,
        limits: ResourceLimits = ResourceLimits(),
        memo: MemoTable.Key? = nil,
        acquireTaskName: String? = nil
    ) {
        self.id = id
        tag = memo == nil ? ValueKey.tag(Identity.nextLocal(), isCarried: false) : 0
        self.name = name
        self.form = form
        self.point = point
        self.limits = limits
        self.memo = memo
        self.acquireTaskName = acquireTaskName ?? Self.acquireTaskName(name)
        releaseTaskName = form == .memo ? name : "release \(name)"
    }

    static func acquireTaskName(_ name: String) -> String { "acquire \(name)" }
}

/// Something a store can acquire.
protocol Acquirable: Sendable {
    var info: ResourceInfo { get }

    /// How what is acquired will be released.
    ///
    /// Called under the store's lock: it only makes objects.
    func makeRelease(in core: StoreCore) -> Acquisition.ReleaseForm

    /// Acquires, and tells the core when the value is there or that there will be none.
    func fly(_ acquisition: Acquisition, in core: StoreCore) async
}
