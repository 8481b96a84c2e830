import CNIOBoringSSL
import NIOSSL

/// What all sessions of a thread read from and write to, one after another: a session has no buffers of its own. One a thread, used on it alone.
@safe public final class RecordBuffers {
    /// What the last `receive` has decrypted, from the start on.
    public var plaintext = [UInt8](repeating: 0, count: RecordBuffers.plaintextCapacity)
    /// Records to be sent; the owner sends and empties it.
    public var output: [UInt8] = []

    /// Bytes that one `receive` takes at most.
    public static let maximumReceived = 16 * 1024
    /// That many, the record that they complete, and one that the library needs room for.
    private static let plaintextCapacity = maximumReceived + 2 * 16 * 1024

    /// What the session reads from, while it does.
    fileprivate var input = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
    /// Shared by the sessions, which have references.
    let pipe: OpaquePointer?

    public init() {
        unsafe pipe = unsafe BIO_new(RecordBuffers.method)
        unsafe BIO_set_init(pipe, 1)
        // Sessions keep this object, and with it the pointer.
        unsafe BIO_set_data(pipe, Unmanaged.passUnretained(self).toOpaque())
    }

    deinit { unsafe BIO_free(pipe) }

    var isInputUsed: Bool { unsafe input.isEmpty }

    /// Lets sessions read from `bytes` during `body`.
    func withInput(_ bytes: Span<UInt8>, _ body: () -> Void) {
        unsafe bytes.withUnsafeBytes { bytes in
            unsafe input = unsafe bytes
            body()
            unsafe input = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
        }
    }

    fileprivate static func of(_ pipe: OpaquePointer?) -> RecordBuffers? {
        unsafe BIO_get_data(pipe).map { unsafe Unmanaged<RecordBuffers>.fromOpaque($0).takeUnretainedValue() }
    }

    fileprivate func read(into room: UnsafeMutableRawBufferPointer) -> Int {
        let count = unsafe min(room.count, input.count)
        guard count > 0 else { return 0 }
        unsafe room.copyMemory(from: UnsafeRawBufferPointer(rebasing: input[..<count]))
        unsafe input = unsafe UnsafeRawBufferPointer(rebasing: input[count...])
        return count
    }

    /// Made once and never freed.
    nonisolated(unsafe) private static let method: OpaquePointer? = {
        // The number only must be none of the library's own kinds.
        let method = unsafe BIO_meth_new(99 | BIO_TYPE_SOURCE_SINK, "records")
        unsafe BIO_meth_set_read(method) { pipe, bytes, count in
            unsafe BIO_clear_retry_flags(pipe)
            guard count > 0, let records = unsafe RecordBuffers.of(pipe) else { return -1 }
            let read = unsafe records.read(into: UnsafeMutableRawBufferPointer(start: bytes, count: Int(count)))
            if read > 0 { return CInt(read) }
            unsafe BIO_set_retry_read(pipe)
            return -1
        }
        unsafe BIO_meth_set_write(method) { pipe, bytes, count in
            unsafe BIO_clear_retry_flags(pipe)
            guard count > 0, let records = unsafe RecordBuffers.of(pipe) else { return -1 }
            unsafe records.output.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: Int(count)))
            return count
        }
        unsafe BIO_meth_set_ctrl(method) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
        return unsafe method
    }()
}
