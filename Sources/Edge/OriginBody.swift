import Foundation
import Steering

/// The JSON body of `/origin`.
enum OriginBody {
    /// The video's URL in `{"video": "URL"}`, in `"URL"`, or in the historical `{ "URL"}`, which is no JSON but was documented once.
    ///
    /// - Returns: nil when the body is none of these.
    static func video(in body: [UInt8]) -> [UInt8]? {
        if let document = try? JSONDecoder().decode(Document.self, from: Data(body)) {
            switch document {
            case .string(let url): return Array(url.utf8)
            case .object(let members):
                guard members.count == 1, case .string(let url)? = document["video"] else { return nil }
                return Array(url.utf8)
            default: return nil
            }
        }
        let text = body.drop(while: isWhitespace)
        guard text.first == UInt8(ascii: "{"), let end = text.lastIndex(where: { !isWhitespace($0) }), text[end] == UInt8(ascii: "}"),
            let url = try? JSONDecoder().decode(String.self, from: Data(text[(text.startIndex + 1)..<end]))
        else { return nil }
        return Array(url.utf8)
    }

    private static func isWhitespace(_ byte: UInt8) -> Bool {
        byte == .space || byte == .tab || byte == .carriageReturn || byte == .lineFeed
    }
}
