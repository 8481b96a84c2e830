import Foundation

/// A `.env` file, read as docker compose reads one. Where compose, systemd and shells differ so that a value would silently be another one,
/// it is refused with its line.
struct EnvironmentFile {
    /// Values by name; of two lines with one name the last counts.
    private(set) var values: [String: String] = [:]
    /// Where each name stands, from 1.
    private(set) var lines: [String: Int] = [:]

    private let name: String
    private var line = 1
    private var rest: Substring.UnicodeScalarView

    private static let maximum = 1 << 20

    /// Reads a file; one that is absent is empty.
    ///
    /// - Throws: `ConfigurationFault` when it is there and cannot be read, and for its first bad line.
    init(path: String) throws(ConfigurationFault) {
        let bytes: Data
        do {
            bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch let error as CocoaError where error.code == .fileReadNoSuchFile || error.code == .fileNoSuchFile {
            bytes = Data()
        } catch {
            throw ConfigurationFault("\(path) cannot be read; it must be a file that this user may read, with one NAME=value a line")
        }
        guard bytes.count <= EnvironmentFile.maximum, let text = String(validating: bytes, as: UTF8.self),
            !text.unicodeScalars.contains("\0")
        else { throw ConfigurationFault("\(path) is not UTF-8 text of at most 1 MiB; write one NAME=value a line") }
        try self.init(text, name: path)
    }

    /// - Parameter name: of the file, for faults.
    init(_ text: String, name: String) throws(ConfigurationFault) {
        self.name = name
        // Scalars, since CR LF is one Character.
        rest = Substring(text.replacing("\r\n", with: "\n").replacing("\r", with: "\n")).unicodeScalars
        if rest.first == "\u{FEFF}" { rest.removeFirst() }
        while !rest.isEmpty { try readLine() }
    }

    private func fault(_ message: String) -> ConfigurationFault { ConfigurationFault("\(name):\(line): \(message)") }

    private static func isBlank(_ scalar: Unicode.Scalar) -> Bool { scalar == " " || scalar == "\t" }

    private mutating func skipBlanks() { rest = rest.drop(while: EnvironmentFile.isBlank) }

    /// Takes the line end, if one is there.
    private mutating func endLine() {
        if rest.first == "\n" { rest.removeFirst() }
        line += 1
    }

    private mutating func skipComment() { rest = rest.drop { $0 != "\n" } }

    private mutating func readLine() throws(ConfigurationFault) {
        skipBlanks()
        if rest.isEmpty || rest.first == "\n" { return endLine() }
        if rest.first == "#" {
            skipComment()
            return endLine()
        }
        let start = line
        let name = try readName()
        skipBlanks()
        let value =
            switch rest.first {
            case "'", "\"": try readQuoted()
            default: try readPlain()
            }
        values[name] = value
        lines[name] = start
        endLine()
    }

    private mutating func readName() throws(ConfigurationFault) -> String {
        let upTo = rest.prefix { $0 != "=" && $0 != "\n" }
        var words = String(upTo).split { $0 == " " || $0 == "\t" }
        if words.first == "export", words.count == 2 { words.removeFirst() }
        guard rest[upTo.endIndex...].first == "=" else { throw fault("has no =; write NAME=value, or # before a comment") }
        guard words.count == 1, words[0].utf8.allSatisfy({ EnvironmentFile.isNameByte($0) }) else {
            throw fault("has no name of letters, digits and _ before the =; write NAME=value")
        }
        rest = rest[upTo.endIndex...].dropFirst()
        return String(words[0])
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
        }
    }

    /// Up to the line end, or to a # after a blank.
    private mutating func readPlain() throws(ConfigurationFault) -> String {
        if rest.first == "#" { throw fault("has a value that begins with #; put it in '…', or leave nothing after the =") }
        var value = String.UnicodeScalarView()
        while let scalar = rest.first, scalar != "\n" {
            if scalar == "#", let last = value.last, EnvironmentFile.isBlank(last) {
                skipComment()
                break
            }
            if scalar == "$" { try refuseVariable(before: rest.dropFirst()) }
            value.append(scalar)
            rest.removeFirst()
        }
        while let last = value.last, EnvironmentFile.isBlank(last) { value.removeLast() }
        return String(value)
    }

    /// Compose fills variables in and makes one dollar of two, systemd does not, and a password with a dollar is not to be guessed at.
    private func refuseVariable(before rest: Substring.UnicodeScalarView) throws(ConfigurationFault) {
        guard let next = rest.first else { return }
        if next == "{" || next == "$" || next == "_" || next.properties.isAlphabetic {
            throw fault(
                "has a $ before a name, which is not filled in here; put the value in '…' to keep the $, or write out what it stands for")
        }
    }

    /// In ' only \' is special; in " also \n, \r, \t, \\, \" and \$. Either may go over several lines.
    private mutating func readQuoted() throws(ConfigurationFault) -> String {
        let quote = rest.removeFirst()
        let opening = fault("has a \(quote) that is never closed; end the value with \(quote)")
        let start = line
        var value = String.UnicodeScalarView()
        while let scalar = rest.popFirst() {
            if scalar == quote {
                try endQuoted(quote)
                return String(value)
            }
            if scalar == "\n" { line += 1 }
            if scalar == "\\", let escaped = EnvironmentFile.escape(rest.first, quote) {
                rest.removeFirst()
                value.append(escaped)
                continue
            }
            if scalar == "$", quote == "\"" { try refuseVariable(before: rest) }
            value.append(scalar)
        }
        line = start
        throw opening
    }

    private mutating func endQuoted(_ quote: Unicode.Scalar) throws(ConfigurationFault) {
        skipBlanks()
        if rest.first == "#" { skipComment() }
        guard rest.isEmpty || rest.first == "\n" else {
            throw fault("goes on after the closing \(quote); write \\\(quote) for a quote in the value")
        }
    }

    private static func escape(_ scalar: Unicode.Scalar?, _ quote: Unicode.Scalar) -> Unicode.Scalar? {
        switch scalar {
        case quote: quote
        case "n" where quote == "\"": "\n"
        case "r" where quote == "\"": "\r"
        case "t" where quote == "\"": "\t"
        case "\\" where quote == "\"": "\\"
        case "$" where quote == "\"": "$"
        default: nil
        }
    }
}
