/// What the store knows of a resource's key.
struct ResourceInfo: Sendable {
    var id = Identity.nextKey()
    let name: String
    let form: Lifecycle.Form
    let point: ReleasePoint
    var limits = ResourceLimits()
    /// Where the value of a memo is kept.
    var memo: MemoTable.Key?
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
