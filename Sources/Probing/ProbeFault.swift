import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Steering

/// Why a probe got no answer, in an operator's words.
package struct ProbeFault: Error {
    let reason: String

    static let closed = ProbeFault(reason: "closed before the answer was whole")

    private init(reason: String) { self.reason = reason }

    /// A certificate for other names than the target's.
    ///
    /// - Parameter host: as the catalog names it.
    init(_ certificate: NIOSSLCertificate, not host: String) {
        let names = certificate.dnsNames
        let shown = names.prefix(3).joined(separator: ", ") + (names.count > 3 ? " and \(names.count - 3) more" : "")
        reason =
            "its certificate is for \(names.isEmpty ? "no DNS name" : shown), not for \(host): its operator must add that name, or the catalog "
            + "must use one that it has"
    }

    /// A certificate that the machine does not trust.
    init(_ certificate: NIOSSLCertificate, at now: Date) {
        let now = Int(now.timeIntervalSince1970)
        if certificate.notValidAfter < now {
            reason = "its certificate has expired on \(ProbeFault.day(certificate.notValidAfter)): its operator must renew it"
        } else if certificate.notValidBefore > now {
            reason = "its certificate is valid from \(ProbeFault.day(certificate.notValidBefore)) on; see this machine's clock"
        } else {
            reason =
                "its certificate leads to no authority that this machine trusts (/etc/ssl/certs): an intermediate one is missing or has expired, "
                + "or the authority is a private one"
        }
    }

    static func verdict(_ error: any Error, at address: ClientAddress) -> Verdict {
        if let failure = error as? Resolver.Failure { return failure.verdict }
        if let error = error as? IOError, let own = LocalFault.reason(error, connectingTo: address) { return .unknown(own) }
        return .bad(text(of: error))
    }

    /// What an error of a connection means, whoever made it.
    package static func text(of error: any Error) -> String {
        switch error {
        case let fault as ProbeFault: fault.reason
        case let failure as Resolver.Failure: failure.reason
        case let error as IOError: LocalFault.text(error.errnoCode)
        case HTTPParserError.invalidEOFState: closed.reason
        case let error as HTTPParserError: "the answer is not HTTP/1.1: \(error)"
        case ChannelError.connectTimeout: "no answer in time"
        case let error as NIOSSLExtraError where error == .failedToValidateHostname: "its certificate is for another name"
        case let error as NIOSSLError: tls(error)
        default: "\(error)".split(separator: "\n").first.map { String($0.prefix(200)) } ?? "failed"
        }
    }

    private static func tls(_ error: NIOSSLError) -> String {
        switch error {
        case .unableToValidateCertificate, .noCertificateToValidate: return "its certificate cannot be checked"
        case .cannotMatchULabel: return "its certificate's name cannot be read"
        case .handshakeFailed(let cause):
            let text = "\(cause)"
            if text.contains("CERTIFICATE_VERIFY_FAILED") { return "its certificate is not trusted" }
            if text.contains("WRONG_VERSION_NUMBER") { return "does not speak TLS on this port" }
            if text.contains("EOF during handshake") { return "closed during the TLS handshake" }
            return "the TLS handshake failed: \(text.split(separator: "\n").first.map { String($0.prefix(150)) } ?? "")"
        default: return "TLS failed: \(error)"
        }
    }

    private static func day(_ seconds: Int) -> String {
        Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601.year().month().day())
    }
}

extension Resolver.Failure {
    var verdict: Verdict { isLocal ? .unknown(reason) : .bad(reason) }
}
