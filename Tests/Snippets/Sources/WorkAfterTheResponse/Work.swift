import Hummingbird
import Logging
import PerRequest
import PerRequestHummingbird
import PerRequestServiceLifecycle
import ServiceLifecycle

// snippet WorkAfterTheResponse.md: Overview

func application(_ router: RequestStoreRouter<BasicRequestContext>, _ postgres: any Service) -> some ApplicationProtocol
{
    // snippet WorkAfterTheResponse.md: Who runs it
    return app
}

func group(_ postgres: any Service, _ work: BackgroundWork, _ server: any Service) -> ServiceGroup {
    // snippet WorkAfterTheResponse.md: Who runs it (2)
    return group
}

func createWithoutIndex(_ note: Note) throws {
    // snippet WorkAfterTheResponse.md: Too much of it
}

// snippet WorkAfterTheResponse.md: Lambda, and the consumers of queues

// snippet WorkAfterTheResponse.md: What must not be lost
