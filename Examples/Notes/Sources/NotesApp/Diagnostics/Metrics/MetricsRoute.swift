import HTTPTypes
import Hummingbird
import NIOCore
import PerRequestHummingbird

extension MetricsRegistry {
    /// Adds `/metrics`, for Prometheus and for people.
    func add(to router: RequestStoreRouter<BasicRequestContext>) {
        router.get("metrics") { [self] _, _ in
            Response(
                status: .ok,
                headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8", .cacheControl: "no-store"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: PrometheusText(self).text))
            )
        }
    }
}
