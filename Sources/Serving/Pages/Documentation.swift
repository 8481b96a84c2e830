import COpenAPI
import Foundation
import NIOCore

/// The documentation each port serves of itself: the OpenAPI document, and Swagger UI when its files have been fetched.
enum Documentation {
    struct File {
        let path: String
        let type: String
        let body: ByteBuffer
        let policy: String?
    }

    /// What Swagger UI needs: its own scripts and styles; it sets style attributes and has its icons as data: URLs.
    private static let swaggerPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
        + "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"

    // Static strings of the C target, ended by zero; they live as long as the program.
    static func controlPlane(assets: String) -> [File] { files(unsafe String(cString: copenapi_control_plane()), assets) }
    static func dataPlane(assets: String) -> [File] { files(unsafe String(cString: copenapi_data_plane()), assets) }

    private static func files(_ openAPI: String, _ assets: String) -> [File] {
        let document = File(path: "/openapi.json", type: "application/json", body: ByteBuffer(string: openAPI), policy: nil)
        let folder = "\(assets)/swagger-ui"
        guard let script = contents("\(folder)/swagger-ui-bundle.js"), let style = contents("\(folder)/swagger-ui.css") else {
            return [document, page("/docs/swagger", missing(folder))]
        }
        return [
            document, page("/docs/swagger", swagger),
            File(path: "/docs/swagger/swagger-ui-bundle.js", type: "text/javascript; charset=utf-8", body: script, policy: nil),
            File(path: "/docs/swagger/swagger-ui.css", type: "text/css; charset=utf-8", body: style, policy: nil),
            File(path: "/docs/swagger/start.js", type: "text/javascript; charset=utf-8", body: ByteBuffer(string: start), policy: nil),
        ]
    }

    private static func page(_ path: String, _ html: String) -> File {
        File(path: path, type: "text/html; charset=utf-8", body: ByteBuffer(string: html), policy: swaggerPolicy)
    }

    private static func contents(_ path: String) -> ByteBuffer? { FileManager.default.contents(atPath: path).map { ByteBuffer(bytes: $0) } }

    private static let swagger = """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>video-balancer API</title>
        <link rel="icon" href="data:,">
        <link rel="stylesheet" href="/docs/swagger/swagger-ui.css">
        </head>
        <body>
        <div id="swagger"></div>
        <script src="/docs/swagger/swagger-ui-bundle.js"></script>
        <script src="/docs/swagger/start.js"></script>
        </body>
        </html>

        """

    private static let start = """
        SwaggerUIBundle({
          url: "/openapi.json",
          dom_id: "#swagger",
          deepLinking: true,
          validatorUrl: null,
          persistAuthorization: true
        });

        """

    private static func missing(_ folder: String) -> String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <title>video-balancer API</title>
        <link rel="icon" href="data:,">
        </head>
        <body>
        <h1>Swagger UI is not installed</h1>
        <p>Its files are not in <code>\(folder)</code>. Run <code>scripts/fetch-assets</code> in the project's folder, or set
        <code>BALANCER_ASSETS</code> to the folder that holds <code>swagger-ui</code>, and restart.</p>
        <p>The API's description itself is at <a href="/openapi.json">/openapi.json</a>.</p>
        </body>
        </html>

        """
    }
}
