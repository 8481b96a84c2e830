import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Testing

@testable import Control

@Suite struct RequestDeadlineTests {
    private func channel() throws -> EmbeddedChannel {
        let channel = EmbeddedChannel(handler: RequestDeadline())
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        return channel
    }

    private func ask(_ channel: EmbeddedChannel) throws {
        try channel.writeInbound(HTTPRequestPart.head(HTTPRequest(method: .get, scheme: "http", authority: "h", path: "/")))
        try channel.writeInbound(HTTPRequestPart.end(nil))
    }

    @Test func `an answer may take for ever, the next head may not`() throws {
        let channel = try channel()
        try ask(channel)
        channel.embeddedEventLoop.advanceTime(by: .hours(1))
        #expect(channel.isActive)
        try channel.writeOutbound(HTTPResponsePart.end(nil))
        channel.embeddedEventLoop.advanceTime(by: .seconds(29))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(!channel.isActive)
    }

    @Test func `a client that takes nothing of an answer is closed, one that takes some is not`() throws {
        let channel = try channel()
        try ask(channel)
        func write(isPossible: Bool) {
            channel.isWritable = isPossible
            channel.pipeline.fireChannelWritabilityChanged()
        }
        write(isPossible: false)
        channel.embeddedEventLoop.advanceTime(by: .seconds(29))
        write(isPossible: true)
        channel.embeddedEventLoop.advanceTime(by: .hours(1))
        #expect(channel.isActive)
        write(isPossible: false)
        channel.embeddedEventLoop.advanceTime(by: .seconds(30))
        #expect(!channel.isActive)
    }
}
