import NIOCore
import NIOPosix

extension Names {
    /// As a prober's thread.
    static let eventLoop = MultiThreadedEventLoopGroup(numberOfThreads: 1).next()
}
