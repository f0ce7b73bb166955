extension RequestReport: CustomStringConvertible {
    /// The request, the resource and what happened, and the name of the kind in brackets, which the article
    /// <doc:Troubleshooting> has an entry for: in one line.
    ///
    /// Whatever is in the request's id, in a name or in an error's description: control characters are escaped.
    public var description: String { "\(text) [\(caseName(of: kind))]".onOneLine }

    private var text: String {
        switch kind {
        case .releaseFailed(let failure):
            return "request \(request): a release failed: \(failure)"
        case .flightOverran(let resource, let acquiredAt):
            return """
                request \(request): "\(resource)", acquired at \(acquiredAt): its factory did not end after it was \
                cancelled. Make it react to cancellation; what it still acquires is released when it arrives.
                """
        case .blocked(let resource, let acquiredAt, let elapsed):
            return """
                request \(request): "\(resource)", acquired at \(acquiredAt): its factory or release kept its thread for \
                \(elapsed), longer than its limit, and could not be cancelled. Await what takes time instead of blocking.
                """
        case .pointOverran(let point, let limit, let resources):
            let left = resources.isEmpty ? "" : ": \(list(resources))"
            return """
                request \(request): the releases \(point.phrase) did not end within \(limit) and go on without the request\
                \(left). Make them faster, or raise `RequestLimits`.
                """
        case .heldTooLong(let resource, let acquiredAt, let limit):
            return """
                request \(request): "\(resource)", acquired at \(acquiredAt), is still held after \(limit). Release it early \
                where a response is long, or raise the `hold` limit of its `ResourceLimits`.
                """
        case .abandoned(let resources):
            return """
                request \(request): the store was dropped while it was open, holding \(list(resources)). Close the RequestScope on \
                every path.
                """
        case .jobFailed(let job, let error):
            return """
                request \(request): the job "\(job)" failed, after a response that it does not affect, and is not run again: \
                \(error)
                """
        case .jobCut(let job):
            return """
                request \(request): the job "\(job)" was cut off, after a response that it does not affect, because the \
                application shut down. Let it react to cancellation, or raise `BackgroundWork.Limits.drain`.
                """
        case .notPropagated(let problems):
            return """
                request \(request): not all that should travel with it did: \(problems.joined(separator: "; ")). Look at who \
                sent it.
                """
        }
    }
}

private func list(_ resources: [String]) -> String {
    resources.isEmpty ? "nothing" : resources.map { "\"\($0)\"" }.joined(separator: ", ")
}

extension String {
    /// The text with an escape in place of each character that ends a line, controls a terminal or changes the direction of
    /// what follows, so that a log shows it as a part of its line.
    var onOneLine: String {
        guard unicodeScalars.contains(where: \.breaksLine) else { return self }
        var line = ""
        for scalar in unicodeScalars {
            if scalar.breaksLine { line += scalar.escaped(asASCII: true) } else { line.unicodeScalars.append(scalar) }
        }
        return line
    }
}

extension Unicode.Scalar {
    fileprivate var breaksLine: Bool {
        switch properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        default: properties.isBidiControl
        }
    }
}
