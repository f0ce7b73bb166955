// snippet VaporAndOtherFutureStyleFrameworks.md: An adapter for Vapor
