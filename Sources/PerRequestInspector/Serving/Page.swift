#if Inspector
import NIOCore

/// The page, which is a part of the program.
enum Page {
    static let html = ByteBuffer(bytes: PackageResources.inspector_html)
    static let style = ByteBuffer(bytes: PackageResources.inspector_css)
    static let script = ByteBuffer(bytes: PackageResources.inspector_js)
}
#endif
