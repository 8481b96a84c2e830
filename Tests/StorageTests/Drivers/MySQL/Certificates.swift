#if MySQL
import DatabaseServers
import Foundation

/// An authority, a server's certificate for "localhost" from it, and another authority, made by openssl(1).
struct Certificates {
    let authority: String
    let other: String
    let certificate: String
    let key: String

    static let canMake = FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl")

    init(in scratch: Scratch) async throws {
        let folder = scratch.path("tls")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let script = """
            set -e; cd "$1"
            for ca in authority other; do
                openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout $ca.key -out $ca.pem -subj "/CN=$ca of a test"
            done
            openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj "/CN=localhost"
            printf 'subjectAltName=DNS:localhost' > names
            openssl x509 -req -in server.csr -CA authority.pem -CAkey authority.key -CAcreateserial -days 2 -extfile names -out server.pem
            chmod -R a+rX .
            """
        let ended = try await MariaDBServer.run(["sh", "-c", script, "sh", folder])
        guard ended.code == 0 else { throw CocoaError(.fileWriteUnknown) }
        authority = folder + "/authority.pem"
        other = folder + "/other.pem"
        certificate = folder + "/server.pem"
        key = folder + "/server.key"
    }
}
#endif
