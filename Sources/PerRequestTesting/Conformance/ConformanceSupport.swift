public import PerRequestAdapters

/// How far a server reaches one code path.
public enum ConformanceSupport: String, Hashable, Sendable {
    /// All that is promised for it holds.
    case full = "yes"
    /// Some of it does not, or not always.
    case weaker
    /// None of it does.
    case none = "no"

    /// What follows from an adapter's list.
    ///
    /// - Parameters:
    ///   - codePath: The place.
    ///   - unmet: What the adapter lists as not held.
    public init(of codePath: RequestCodePath, without unmet: [UnmetGuarantee]) {
        let unmet = unmet.filter { $0.codePath == codePath }
        let checks = ConformanceCheck.all.filter { $0.codePath == codePath }
        if unmet.isEmpty {
            self = .full
        } else if checks.allSatisfy({ unmet.contains(where: $0.isExcused) }) {
            self = .none
        } else {
            self = .weaker
        }
    }
}

extension ConformanceCheck {
    /// The entries of an adapter's list that say that something does not hold at all, and that no check would find out.
    ///
    /// - Parameter unmet: What the adapter lists as not held.
    /// - Returns: The entries to correct.
    public static func unknown(in unmet: [UnmetGuarantee]) -> [UnmetGuarantee] {
        unmet.filter { entry in entry.extent == .wholly && !all.contains { $0.isExcused(by: entry) } }
    }
}
