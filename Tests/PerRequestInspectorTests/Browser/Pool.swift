#if Inspector
/// A pool that has a few of something, and hands them out in the order in which they are asked for.
actor Pool {
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(size: Int) { free = size }

    func lease() async {
        guard free == 0 else {
            free -= 1
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    func giveBack() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}
#endif
