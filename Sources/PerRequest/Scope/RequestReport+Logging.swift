#if Logging
import Logging

extension RequestReport {
    /// Logs the report through swift-log.
    ///
    /// The logger is made for each report, since reports are rare: it goes where the application has directed logs by then.
    func log(to logger: Logger = Logger(label: "PerRequest")) {
        logger.log(level: level, "\(self)", metadata: metadata)
    }

    /// An error where something did not happen that had to, a warning where it still may.
    private var level: Logger.Level {
        switch kind {
        case .releaseFailed, .pointOverran, .abandoned, .jobFailed, .jobCut: .error
        case .flightOverran, .heldTooLong, .blocked, .notPropagated: .warning
        }
    }

    private var metadata: Logger.Metadata {
        var metadata: Logger.Metadata = ["request": "\(request.onOneLine)"]
        switch kind {
        case .releaseFailed(let failure):
            metadata["resource"] = "\(failure.resource.onOneLine)"
            metadata["acquiredAt"] = "\(failure.acquiredAt)"
            metadata["error"] = failure.error.logged
        case .flightOverran(let resource, let acquiredAt), .heldTooLong(let resource, let acquiredAt, _),
            .blocked(let resource, let acquiredAt, _):
            metadata["resource"] = "\(resource.onOneLine)"
            metadata["acquiredAt"] = "\(acquiredAt)"
        case .abandoned(let resources), .pointOverran(_, _, let resources):
            metadata["resource"] = .array(resources.map { "\($0.onOneLine)" })
        case .jobFailed(let job, let error):
            metadata["job"] = "\(job.onOneLine)"
            metadata["error"] = error.logged
        case .jobCut(let job):
            metadata["job"] = "\(job.onOneLine)"
        case .notPropagated(let problems):
            metadata["baggage"] = .array(problems.map { "\($0.onOneLine)" })
        }
        return metadata
    }
}

extension Error {
    /// All that it says of itself: some drivers' errors describe themselves as nothing in particular.
    fileprivate var logged: Logger.MetadataValue { "\(String(reflecting: self).onOneLine)" }
}
#endif
