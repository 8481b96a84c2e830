import Glibc
import NIOCore

/// Marks a connection close-on-exec, which SwiftNIO's accept does not: a program that the process starts must not keep it open.
final class CloseOnExec: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = NIOAny

    func handlerAdded(context: ChannelHandlerContext) {
        try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { descriptor in
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        }
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }
}
