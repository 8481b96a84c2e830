import CDashboard
import NIOCore

/// The page an operator looks at: files of the binary itself, which call nothing but this port's API.
enum Dashboard {
    private static let policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; "
        + "frame-ancestors 'none'; base-uri 'none'"

    static var files: [Documentation.File] {
        // Static strings of the C target, ended by zero; they live as long as the program.
        (0..<cdashboard_count()).map { index in
            Documentation.File(
                path: unsafe String(cString: cdashboard_path(index)), type: unsafe String(cString: cdashboard_type(index)),
                body: ByteBuffer(string: unsafe String(cString: cdashboard_body(index))), policy: policy)
        }
    }
}
