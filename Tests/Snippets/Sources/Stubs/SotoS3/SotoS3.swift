// A stub: declarations of Soto 7.13.0, as far as the guides use them, looked up in November 2026. It notes what it is asked for.
// swift-format-ignore-file: AllPublicDeclarationsHaveDocumentation

public import NIOCore
import Synchronization

public final class AWSClient: Sendable {
    /// What the stub was asked for, in order.
    public let requests = Mutex<[String]>([])

    public init(credentialProvider credentialProviderFactory: CredentialProviderFactory = .default) {}

    public func shutdown() async throws { note("shutdown") }

    func note(_ request: String) { requests.withLock { $0.append(request) } }
}

public struct CredentialProviderFactory: Sendable {
    public static var `default`: CredentialProviderFactory { CredentialProviderFactory() }

    public static func `static`(
        accessKeyId: String,
        secretAccessKey: String,
        sessionToken: String? = nil
    ) -> CredentialProviderFactory {
        CredentialProviderFactory()
    }
}

public struct Region: Sendable {}

public struct AWSHTTPBody: Sendable {
    public init(buffer: ByteBuffer) {}
}

public struct S3: Sendable {
    public struct CreateMultipartUploadOutput: Sendable {
        public let uploadId: String?
    }

    public struct UploadPartOutput: Sendable {
        public let eTag: String?
    }

    public struct CompletedPart: Sendable {
        public init(eTag: String? = nil, partNumber: Int? = nil) {}
    }

    public struct CompletedMultipartUpload: Sendable {
        public init(parts: [CompletedPart]? = nil) {}
    }

    public struct CompleteMultipartUploadOutput: Sendable {}

    public struct AbortMultipartUploadOutput: Sendable {}

    public let client: AWSClient

    public init(client: AWSClient, region: Region? = nil) { self.client = client }

    public func createMultipartUpload(bucket: String, key: String) async throws -> CreateMultipartUploadOutput {
        client.note("create \(bucket)/\(key)")
        return CreateMultipartUploadOutput(uploadId: "1")
    }

    public func uploadPart(
        body: AWSHTTPBody? = nil,
        bucket: String,
        key: String,
        partNumber: Int,
        uploadId: String
    ) async throws -> UploadPartOutput {
        client.note("part \(partNumber)")
        return UploadPartOutput(eTag: "e")
    }

    public func completeMultipartUpload(
        bucket: String,
        key: String,
        multipartUpload: CompletedMultipartUpload? = nil,
        uploadId: String
    ) async throws -> CompleteMultipartUploadOutput {
        client.note("complete")
        return CompleteMultipartUploadOutput()
    }

    public func abortMultipartUpload(
        bucket: String,
        key: String,
        uploadId: String
    ) async throws -> AbortMultipartUploadOutput {
        client.note("abort")
        return AbortMultipartUploadOutput()
    }
}
