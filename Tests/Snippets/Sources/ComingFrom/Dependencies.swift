import Dependencies
import PerRequest

// snippet ComingFrom.md: swift-dependencies

enum DependenciesOurs {
    // snippet ComingFrom.md: swift-dependencies (2)
}
