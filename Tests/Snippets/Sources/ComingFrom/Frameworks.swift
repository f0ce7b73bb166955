import Hummingbird
import PerRequest

enum VinextAndNext {
    // snippet ComingFrom.md: vinext and Next.js
}

enum SvelteKit {
    // snippet ComingFrom.md: SvelteKit
}

enum Hono {
    // snippet ComingFrom.md: Hono
}

enum ReactRouter {
    // snippet ComingFrom.md: React Router
}

enum FastAPI {
    // snippet ComingFrom.md: FastAPI
}

enum TaskLocalTheirs {
    // snippet ComingFrom.md: A task-local of your own
}

enum TaskLocalOurs {
    // snippet ComingFrom.md: A task-local of your own (2)
}
