import HTTPTypes

extension HTTPFields {
    /// What keeps a browser from doing anything with the page but showing it, with its own stylesheet, and sending its own forms.
    static let page: HTTPFields = [
        .contentType: "text/html; charset=utf-8",
        .contentSecurityPolicy: """
        default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; \
        frame-ancestors 'none'
        """,
        .xContentTypeOptions: "nosniff",
        .referrerPolicy: "no-referrer",
    ]

    /// Those of the stylesheet.
    static let style: HTTPFields = [
        .contentType: "text/css; charset=utf-8",
        .xContentTypeOptions: "nosniff",
        .cacheControl: "max-age=600",
    ]
}

extension HTTPField.Name {
    fileprivate static let referrerPolicy = Self("Referrer-Policy")!
}
