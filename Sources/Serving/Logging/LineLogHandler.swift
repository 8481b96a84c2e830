import Edge
import Foundation
public import Logging
import Steering

/// Makes one line of a message, for the process's log: JSON for machines, text for a terminal.
public struct LineLogHandler: LogHandler {
    enum Format: String, CaseIterable { case json, text }

    public var metadata: Logger.Metadata = [:]
    public var logLevel: Logger.Level
    private let label: String
    private let format: Format

    init(label: String, level: Logger.Level, format: Format) {
        self.label = label
        logLevel = level
        self.format = format
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        let time = Date.now.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        let line: String
        switch format {
        case .json:
            let members: [Document.Member] =
                [
                    .init("time", .string(time)), .init("level", .string(event.level.rawValue)),
                    .init("source", .string(label)), .init("message", .string("\(event.message)")),
                ] + all.map { .init($0.key, .string("\($0.value)")) }
            line = Document.object(members).json
        case .text:
            let pairs = all.map { " \($0.key)=\($0.value)" }.joined()
            line = "\(time) \(event.level.rawValue.uppercased()) \(event.message)\(pairs)"
                .replacing("\n", with: "\\n")
        }
        ProcessLog.sink.add(Array((line + "\n").utf8))
    }
}

extension LineLogHandler {
    /// Sets up logging for the process. Called once, before the first logger is made.
    ///
    /// - Throws: `ConfigurationFault` for an unknown level or format.
    public static func bootstrap(_ source: SettingsSource) throws {
        var reader = SettingsReader(source)
        let level = Logger.Level(rawValue: reader.word(\.logLevel)) ?? .info
        let automatic: Format = isatty(STDOUT_FILENO) == 1 ? .text : .json
        let format = Format(rawValue: reader.word(\.logFormat)) ?? automatic
        if !reader.faults.isEmpty { throw ConfigurationFault(reader.faults.joined(separator: "\n")) }
        LoggingSystem.bootstrap { LineLogHandler(label: $0, level: level, format: format) }
    }
}
