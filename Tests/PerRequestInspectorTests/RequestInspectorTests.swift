#if Inspector
import PerRequestInspector
import Testing

struct RequestInspectorTests {
    @Test func isMade() { _ = RequestInspector() }
}
#endif
