import NIOCore
import NIOPosix
import NIOSSL

/// Asks a control plane that speaks TLS for one page, over a connection of its own.
public enum ControlProbe {
    /// Nothing secret is sent or believed, so the certificate is not checked: it need not be for the address that is asked.
    ///
    /// - Parameter seconds: how long everything together may take.
    /// - Returns: the status code; nil when there is no answer in time.
    public static func status(of path: String, host: String, port: Int, seconds: Int) async -> Int? {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .none
        let timeout = TimeAmount.seconds(Int64(seconds))
        guard let context = try? NIOSSLContext(configuration: configuration) else { return nil }
        return try? await answer(to: path, host, port, context, timeout)
    }

    private static func answer(
        to path: String, _ host: String, _ port: Int, _ context: NIOSSLContext, _ timeout: TimeAmount
    ) async throws -> Int? {
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connectTimeout(timeout)
            .connect(host: host, port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(NIOSSLClientHandler(context: context, serverHostname: nil))
                    return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        channel.channel.eventLoop.scheduleTask(in: timeout) { channel.channel.close(promise: nil) }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: "GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
            var answer = ""
            for try await part in inbound {
                answer += String(buffer: part)
                if answer.contains("\r\n") { break }
            }
            let words = answer.prefix(64).split(separator: " ")
            return words.count > 1 ? Int(words[1]) : nil
        }
    }
}
