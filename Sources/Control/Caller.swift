import Storage

/// Who calls the API.
struct Caller: Sendable {
    let key: APIKey
    /// Of the browser; nil when the token itself was sent.
    let session: String?
}
