import NIOCore
import NIOPosix

/// Asks a data plane for one page, over a connection of its own.
public enum EdgeProbe {
    /// - Parameters:
    ///   - address: where the data plane listens; a wildcard address is asked on this machine.
    ///   - seconds: how long everything together may take.
    ///   - sendsProxyHeader: begins as a proxy that speaks for itself.
    /// - Returns: the status code.
    /// - Throws: `EdgeError` when there is no answer in time.
    public static func status(of path: String, at address: ListenAddress, seconds: Int, sendsProxyHeader: Bool = false) async throws -> Int
    {
        do {
            let timeout = TimeAmount.seconds(Int64(seconds))
            let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .connectTimeout(timeout)
                .connect(host: address.host, port: Int(address.port)) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                    }
                }
            channel.channel.eventLoop.scheduleTask(in: timeout) { channel.channel.close(promise: nil) }
            return try await channel.executeThenClose { inbound, outbound in
                let introduction = sendsProxyHeader ? "PROXY UNKNOWN\r\n" : ""
                try await outbound.write(
                    ByteBuffer(string: "\(introduction)GET \(path) HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
                var answer = ""
                for try await part in inbound { answer += String(buffer: part) }
                let words = answer.prefix(64).split(separator: " ")
                guard words.count > 1, let status = Int(words[1]) else { throw EdgeError("\(address) gave no answer within \(seconds) s") }
                return status
            }
        } catch let error as EdgeError {
            throw error
        } catch {
            throw EdgeError("\(address) does not answer; is the balancer running there?")
        }
    }
}
