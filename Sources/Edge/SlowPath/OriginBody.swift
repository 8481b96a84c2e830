import Foundation
import Steering

/// The JSON body of `/origin`: `{"video": "URL"}`, `"URL"`, or the historical `{ "URL"}`, which is no JSON but was documented once.
///
/// It is read by these three forms alone, in UTF-8: a reader of any JSON takes the first or the last of two `video` members, passes over
/// commas that are too many, and guesses at other encodings.
struct OriginBody {
    enum Fault: Error, Equatable {
        case malformed
        case repeatedVideo
        /// The name, when it is short and plain enough to be repeated.
        case unknownMember(String?)

        /// What to send instead.
        var detail: String {
            switch self {
            case .malformed: HTTPFault.body.table.detail
            case .repeatedVideo: "The body has two \"video\" members; send one."
            case .unknownMember(let name?): "The body has a member \"\(name)\", which is not known; send {\"video\": \"URL\"} alone."
            case .unknownMember(nil): "The body has a member other than \"video\"; send {\"video\": \"URL\"} alone."
            }
        }
    }

    /// The video's URL.
    static func video(in body: [UInt8]) throws(Fault) -> [UInt8] {
        var reader = OriginBody(rest: body[...])
        // RFC 8259 §8.1: a parser may pass over a byte order mark.
        if body.starts(with: [0xEF, 0xBB, 0xBF]) { reader.rest.removeFirst(3) }
        let video = reader.takes(UInt8(ascii: "{")) ? try reader.members() : try reader.string()
        guard reader.next == nil else { throw .malformed }
        return Array(video.utf8)
    }

    private var rest: ArraySlice<UInt8>

    /// After the opening brace.
    private mutating func members() throws(Fault) -> String {
        var name = try string()
        // The historical form.
        if takes(UInt8(ascii: "}")) { return name }
        var video: String?
        while true {
            guard takes(UInt8(ascii: ":")) else { throw .malformed }
            guard name == "video" else { throw .unknownMember(OriginBody.plain(name)) }
            guard video == nil else { throw .repeatedVideo }
            video = try string()
            if takes(UInt8(ascii: "}")), let video { return video }
            guard takes(UInt8(ascii: ",")) else { throw .malformed }
            name = try string()
        }
    }

    /// The next byte that is no white space.
    private var next: UInt8? {
        mutating get {
            rest = rest.drop { $0 == .space || $0 == .tab || $0 == .carriageReturn || $0 == .lineFeed }
            return rest.first
        }
    }

    private mutating func takes(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func string() throws(Fault) -> String {
        guard next == UInt8(ascii: "\"") else { throw .malformed }
        var end = rest.startIndex + 1
        while end < rest.endIndex, rest[end] != UInt8(ascii: "\"") {
            // Without controls the decoder cannot take it for another encoding either.
            guard rest[end] >= 0x20 else { throw .malformed }
            end += rest[end] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard end < rest.endIndex, let text = try? JSONDecoder().decode(String.self, from: Data(rest[...end])) else { throw .malformed }
        rest = rest[(end + 1)...]
        return text
    }

    private static func plain(_ name: String) -> String? {
        let isPlain = (1...32).contains(name.utf8.count) && name.utf8.allSatisfy { HeadByte.isToken($0) && $0 < 0x7F }
        return isPlain ? name : nil
    }
}
