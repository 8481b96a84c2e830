import NIOCore
import Steering

/// Frames that come in (RFC 9113 §4, §6).
extension HTTP2Connection {
    /// Reads whole frames.
    ///
    /// - Returns: bytes that were used.
    func read(
        _ bytes: borrowing Span<UInt8>, _ turn: Turn, _ responder: inout Responder, _ workspace: inout HTTP2Workspace
    ) -> Int {
        regain(until: turn.second)
        var index = 0
        do throws(HTTP2Refusal) {
            guard try readPreface(bytes, &index) else { return index }
            while !isOver, !needsSlowPath, bytes.count - index >= HTTP2Frame.headerBytes {
                if responder.writer.bytes.count >= turn.maximumOutput {
                    pause(turn)
                    break
                }
                let frame = HTTP2Frame.Header(bytes, at: index)
                if frame.length > HTTP2Frame.maximumPayload { throw .frameSize }
                let start = index + HTTP2Frame.headerBytes
                guard bytes.count - start >= frame.length else { break }
                try take(frame, bytes.extracting(start..<start + frame.length), turn, &responder, &workspace)
                index = start + frame.length
                if blockStream == nil { partDeadline = nil }
            }
        } catch {
            responder.counters.http2.count(error)
            end(error.code, turn, &responder)
            return bytes.count
        }
        followDeadlines(hasPart: !isPaused && (index < bytes.count || blockStream != nil), turn)
        return index
    }

    private func pause(_ turn: Turn) {
        isPaused = true
        needsSlowPath = turn.isFast
    }

    /// - Returns: false when it is not whole yet.
    private func readPreface(_ bytes: borrowing Span<UInt8>, _ index: inout Int) throws(HTTP2Refusal) -> Bool {
        if hasPreface { return true }
        let preface = HTTP2Frame.preface
        for place in 0..<min(preface.count, bytes.count) where bytes[place] != preface[place] { throw .preface }
        guard bytes.count >= preface.count else { return false }
        hasPreface = true
        index = preface.count
        return true
    }

    private func take(
        _ frame: HTTP2Frame.Header, _ payload: borrowing Span<UInt8>, _ turn: Turn, _ responder: inout Responder,
        _ workspace: inout HTTP2Workspace
    ) throws(HTTP2Refusal) {
        guard hasSettings || (frame.kind == .settings && !frame.flags.contains(.acknowledge)) else { throw .preface }
        // Nothing may stand between the pieces of a header block (§6.2).
        if let blockStream, frame.kind != .continuation || frame.stream != blockStream { throw .frame }
        switch frame.kind {
        case .data: try takeData(frame, payload, turn, &responder, &workspace)
        case .headers: try takeHeaders(frame, payload, turn, &responder, &workspace)
        case .continuation: try takeContinuation(frame, payload, turn, &responder, &workspace)
        case .priority: try takePriority(frame, payload, turn, &responder)
        case .reset: try takeReset(frame, turn)
        case .settings: try takeSettings(frame, payload, turn, &responder)
        case .ping: try takePing(frame, payload, turn, &responder)
        case .windowUpdate: try takeWindowUpdate(frame, payload, turn, &responder)
        case .goAway:
            guard frame.stream == 0 else { throw .frame }
            guard frame.length >= 8 else { throw .frameSize }
            try spend(1, on: .frameFlood)
        case .pushPromise: throw .frame
        case nil: try spend(1, on: .frameFlood)
        }
    }

    // MARK: Header blocks

    private func takeHeaders(
        _ frame: HTTP2Frame.Header, _ payload: borrowing Span<UInt8>, _ turn: Turn, _ responder: inout Responder,
        _ workspace: inout HTTP2Workspace
    ) throws(HTTP2Refusal) {
        guard frame.stream % 2 == 1 else { throw .streamNumber }
        var start = 0
        var end = payload.count
        if frame.flags.contains(.padded) {
            guard payload.count >= 1 else { throw .frameSize }
            start = 1
            end -= Int(payload[0])
        }
        var dependsOnItself = false
        if frame.flags.contains(.priority) {
            guard payload.count >= start + 5 else { throw .frameSize }
            dependsOnItself = HTTP2Frame.number(payload, at: start) & 0x7FFF_FFFF == frame.stream
            start += 5
        }
        // Padding that is longer than its frame (§6.2).
        guard start <= end else { throw .frame }
        if try isNew(frame.stream) {
            lastStream = frame.stream
            // Its block is read nevertheless, for the table.
            if dependsOnItself, !isBehindGoodbye(frame.stream) { try refuse(frame.stream, .streamFrame, turn, &responder) }
        }
        if frame.flags.contains(.endHeaders) {
            try takeBlock(
                payload.extracting(start..<end), frame.stream, endsStream: frame.flags.contains(.endStream), turn, &responder, &workspace)
        } else {
            blockStream = frame.stream
            blockEndsStream = frame.flags.contains(.endStream)
            continuations = 0
            try appendBlock(payload.extracting(start..<end))
        }
    }

    /// Whether a header block begins a stream; else it ends a body.
    private func isNew(_ stream: UInt32) throws(HTTP2Refusal) -> Bool {
        if stream > lastStream { return true }
        if index(of: stream) != nil || resetHere.contains(stream) || isBehindGoodbye(stream) { return false }
        throw closed.contains(stream) ? .closedStream : .streamNumber
    }

    private func takeContinuation(
        _ frame: HTTP2Frame.Header, _ payload: borrowing Span<UInt8>, _ turn: Turn, _ responder: inout Responder,
        _ workspace: inout HTTP2Workspace
    ) throws(HTTP2Refusal) {
        guard let stream = blockStream else { throw .frame }
        continuations += 1
        if continuations > HTTP2Connection.maximumContinuations { throw .continuationFlood }
        try appendBlock(payload)
        guard frame.flags.contains(.endHeaders) else { return }
        var whole: [UInt8] = []
        swap(&whole, &block)
        blockStream = nil
        try takeBlock(whole.span, stream, endsStream: blockEndsStream, turn, &responder, &workspace)
    }

    private func appendBlock(_ payload: borrowing Span<UInt8>) throws(HTTP2Refusal) {
        // What is packed is hardly larger than what it unpacks to, and that is limited.
        if block.count + payload.count > limits.head + limits.target + HTTP2Frame.maximumPayload { throw .continuationFlood }
        // The bytes are copied during the call.
        unsafe payload.withUnsafeBufferPointer { unsafe block.append(contentsOf: $0) }
    }

    private func takeBlock(
        _ block: borrowing Span<UInt8>, _ stream: UInt32, endsStream: Bool, _ turn: Turn, _ responder: inout Responder,
        _ workspace: inout HTTP2Workspace
    ) throws(HTTP2Refusal) {
        // Taken out for the call, and put back with its buffers.
        var head = HTTP2Head()
        swap(&head, &workspace.head)
        defer { swap(&head, &workspace.head) }
        let known = index(of: stream)
        let wasReset = known == nil && resetHere.contains(stream)
        head.begin(limits, isTrailer: known != nil)
        try decoder.decode(block, into: &head)
        if wasReset { return }
        // Nobody waits for an answer; the table was followed.
        if isBehindGoodbye(stream) { return }
        if let known { return try takeTrailer(known, head, endsStream: endsStream, turn, &responder, &workspace) }
        try take(&head, on: stream, endsStream: endsStream, turn, &responder, &workspace)
    }

    // MARK: Frames of streams

    private func takeData(
        _ frame: HTTP2Frame.Header, _ payload: borrowing Span<UInt8>, _ turn: Turn, _ responder: inout Responder,
        _ workspace: inout HTTP2Workspace
    ) throws(HTTP2Refusal) {
        guard frame.stream != 0 else { throw .frame }
        guard !isIdle(frame.stream) else { throw .streamNumber }
        var start = 0
        var end = payload.count
        if frame.flags.contains(.padded) {
            guard payload.count >= 1 else { throw .frameSize }
            start = 1
            end -= Int(payload[0])
        }
        guard start <= end else { throw .frame }
        guard frame.length <= windowLeft else { throw .flowControl }
        windowLeft -= frame.length
        if windowLeft < HTTP2Connection.receiveWindow / 2 {
            appendWindowUpdate(HTTP2Connection.receiveWindow - windowLeft, stream: 0, &responder)
            windowLeft = HTTP2Connection.receiveWindow
        }
        if start == end, !frame.flags.contains(.endStream) { try spend(4, on: .emptyFrameFlood) }
        guard let index = index(of: frame.stream), case .body = streams[index].state else {
            return try takeLateData(frame, turn, &responder)
        }
        try takeBody(
            payload.extracting(start..<end), of: frame.length, at: index, endsStream: frame.flags.contains(.endStream), turn, &responder,
            &workspace)
    }

    /// Of a stream that waits for no body.
    private func takeLateData(_ frame: HTTP2Frame.Header, _ turn: Turn, _ responder: inout Responder) throws(HTTP2Refusal) {
        if let index = index(of: frame.stream) {
            guard streams[index].isRequestOpen else { return try refuse(frame.stream, .closedStream, turn, &responder) }
            try spend(1, on: .frameFlood)
            if frame.flags.contains(.endStream) { streams[index].isRequestOpen = false }
        } else if resetHere.contains(frame.stream) || isBehindGoodbye(frame.stream) {
            // Sent before the client knew.
            try spend(1, on: .frameFlood)
        } else {
            throw closed.contains(frame.stream) ? .closedStream : .streamNumber
        }
    }

    func appendWindowUpdate(_ count: Int, stream: UInt32, _ responder: inout Responder) {
        responder.writer.bytes.appendFrame(.windowUpdate, stream: stream, length: 4)
        responder.writer.bytes.appendNumber(UInt32(count))
    }

    /// Priorities are checked and dropped: answers are small, and those that are there are sent in turn (§5.3.2).
    private func takePriority(
        _ frame: HTTP2Frame.Header, _ payload: borrowing Span<UInt8>, _ turn: Turn, _ responder: inout Responder
    ) throws(HTTP2Refusal) {
        guard frame.stream != 0 else { throw .frame }
        try spend(1, on: .frameFlood)
        if frame.length != 5 {
            // An idle stream may not be reset (§6.4).
            if isIdle(frame.stream) { throw .frameSize }
            try refuseOpen(frame.stream, .streamFrame, as: .frameSizeError, turn, &responder)
        } else if HTTP2Frame.number(payload, at: 0) & 0x7FFF_FFFF == frame.stream {
            if isIdle(frame.stream) { throw .frame }
            try refuseOpen(frame.stream, .streamFrame, turn, &responder)
        }
    }

    private func takeReset(_ frame: HTTP2Frame.Header, _ turn: Turn) throws(HTTP2Refusal) {
        guard frame.stream != 0 else { throw .frame }
        guard frame.length == 4 else { throw .frameSize }
        guard !isIdle(frame.stream) else { throw .streamNumber }
        try spend(HTTP2Connection.costOfReset, on: .resetFlood)
        if let index = index(of: frame.stream) { remove(at: index, turn) }
    }

    private func takeWindowUpdate(
        _ frame: HTTP2Frame.Header, _ payload: borrowing Span<UInt8>, _ turn: Turn, _ responder: inout Responder
    ) throws(HTTP2Refusal) {
        guard frame.length == 4 else { throw .frameSize }
        guard frame.stream == 0 || !isIdle(frame.stream) else { throw .streamNumber }
        try spend(1, on: .frameFlood)
        let count = Int(HTTP2Frame.number(payload, at: 0) & 0x7FFF_FFFF)
        if frame.stream == 0 {
            guard count > 0 else { throw .frame }
            sendWindow += count
            if sendWindow > HTTP2Connection.maximumWindow { throw .flowControl }
        } else if count == 0 {
            return try refuseOpen(frame.stream, .streamFrame, turn, &responder)
        } else if let index = index(of: frame.stream) {
            streams[index].sendWindow += count
            if streams[index].sendWindow > HTTP2Connection.maximumWindow {
                return try refuse(frame.stream, .flowControl, turn, &responder)
            }
        }
        sendBodies(turn, &responder)
    }

    /// Of §6.9.1.
    static let maximumWindow = 0x7FFF_FFFF

    // MARK: Frames of the connection

    private func takeSettings(
        _ frame: HTTP2Frame.Header, _ payload: borrowing Span<UInt8>, _ turn: Turn, _ responder: inout Responder
    ) throws(HTTP2Refusal) {
        guard frame.stream == 0 else { throw .frame }
        if frame.flags.contains(.acknowledge) {
            guard frame.length == 0 else { throw .frameSize }
            return try spend(1, on: .settingsFlood)
        }
        guard frame.length % 6 == 0 else { throw .frameSize }
        if hasSettings { try spend(8, on: .settingsFlood) }
        hasSettings = true
        for start in stride(from: 0, to: frame.length, by: 6) {
            let value = Int(HTTP2Frame.number(payload, at: start + 2))
            switch HTTP2Frame.Setting(rawValue: UInt16(payload[start]) << 8 | UInt16(payload[start + 1])) {
            case .enablePush: guard value <= 1 else { throw .frame }
            case .maxFrameSize: guard (16_384...16_777_215).contains(value) else { throw .frame }
            case .initialWindowSize: try setInitialWindow(value)
            // Answers need no table, and are never larger than what every client takes.
            case .headerTableSize, .maxConcurrentStreams, .maxHeaderListSize, nil: break
            }
        }
        responder.writer.bytes.appendFrame(.settings, .acknowledge, stream: 0, length: 0)
        sendBodies(turn, &responder)
    }

    /// Windows of open streams move along, and may be negative then (§6.9.2).
    private func setInitialWindow(_ value: Int) throws(HTTP2Refusal) {
        guard value <= HTTP2Connection.maximumWindow else { throw .flowControl }
        for index in streams.indices {
            streams[index].sendWindow += value - initialWindow
            if streams[index].sendWindow > HTTP2Connection.maximumWindow { throw .flowControl }
        }
        initialWindow = value
    }

    private func takePing(
        _ frame: HTTP2Frame.Header, _ payload: borrowing Span<UInt8>, _ turn: Turn, _ responder: inout Responder
    ) throws(HTTP2Refusal) {
        guard frame.stream == 0 else { throw .frame }
        guard frame.length == 8 else { throw .frameSize }
        if frame.flags.contains(.acknowledge) {
            try spend(1, on: .pingFlood)
            if isDraining { sayLastGoodbye(turn, &responder) }
            return
        }
        try spend(4, on: .pingFlood)
        responder.writer.bytes.appendFrame(.ping, .acknowledge, stream: 0, length: 8)
        for index in 0..<8 { responder.writer.bytes.append(payload[index]) }
    }
}
