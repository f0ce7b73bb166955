import Hummingbird
import PerRequestHummingbird
import PerRequestInspector

// snippet SeeYourRequests.md: Mount the page

// snippet SeeYourRequests.md: Who can see it
