import Logging
import TLS

/// What the log says of certificates that are in use, and what `status` says beside their time.
struct CertificateNotices {
    private let logger: Logger
    private var reminder = CertificateReminder<CertificatePlace>()
    private var chainReminder = CertificateReminder<CertificatePlace>()
    /// Those that are not valid yet: the clock may have been set back.
    private var notYet: Set<CertificatePlace> = []

    init(logger: Logger) { self.logger = logger }

    private static let expiredChain =
        "a certificate of the chain has expired, and clients that need it refuse the whole: put the authority's newer one in its place"

    /// Tells what is wrong with one as it is loaded.
    func warn(of certificate: ServerCertificate, _ file: String) {
        for doubt in certificate.doubts { logger.warning("\(CertificateNotices.words(doubt))", metadata: ["file": "\(file)"]) }
    }

    private static func words(_ doubt: CertificateDoubt) -> String {
        switch doubt {
        case .nameless:
            "a certificate has no subjectAltName, and browsers and players no longer look at the common name: have it issued with one"
        case .curve: "a certificate is on P-521, which Chrome and players of its kind do not know: have one issued on P-256"
        case .shortKey: "a certificate has an RSA key of less than 2048 bits, and clients refuse it: have one issued on P-256"
        case .purpose: "a certificate is not for servers by its extendedKeyUsage, and clients refuse it: have one issued with serverAuth"
        }
    }

    /// - Parameter second: since 1970-01-01 UTC, as everywhere here.
    static func warnings(about certificate: ServerCertificate, at second: Int64) -> [String] {
        let expired = certificate.shorterLived.first { $0.validUntil <= second }
        return certificate.doubts.map(words)
            + (expired.map { ["\(expiredChain): \($0.name), since \(CertificateFiles.time($0.validUntil))"] } ?? [])
    }

    /// Tells once a day of those that are ending or have ended. An expired one serves all the same: clients decide, and without it they would
    /// have nothing to decide about.
    mutating func tell(_ loaded: [(place: CertificatePlace, file: String, certificate: ServerCertificate)], at second: Int64) {
        for (place, file, certificate) in loaded {
            let life = CertificateLife(from: certificate.validFrom, until: certificate.validUntil)
            tellOfBegin(place, certificate, life.state(at: second))
            if reminder.isDue(place, life, at: second) { tell(file, certificate, life, at: second) }
            guard let soonest = certificate.shorterLived.first else { continue }
            let itsLife = CertificateLife(from: soonest.validFrom, until: soonest.validUntil)
            if chainReminder.isDue(place, itsLife, at: second) { tell(file, soonest, itsLife, at: second) }
        }
        reminder.keep(loaded.map(\.place))
        chainReminder.keep(loaded.map(\.place))
        notYet.formIntersection(loaded.map(\.place))
    }

    private mutating func tellOfBegin(_ place: CertificatePlace, _ certificate: ServerCertificate, _ state: CertificateLife.State) {
        guard state == .notYet else {
            notYet.remove(place)
            return
        }
        guard notYet.insert(place).inserted else { return }
        logger.error(
            "a certificate is not valid yet, and clients refuse it: is the clock right?",
            metadata: ["names": "\(certificate.namesInWords)", "validFrom": "\(CertificateFiles.time(certificate.validFrom))"])
    }

    private func tell(_ file: String, _ certificate: ServerCertificate, _ life: CertificateLife, at second: Int64) {
        tell(
            life, at: second, ["file": "\(file)", "names": "\(certificate.namesInWords)"],
            ended: "a certificate has expired, and clients refuse it: renew it",
            ending: "a certificate expires in \(life.daysLeft(at: second)) days and was not renewed: see what should renew it")
    }

    private func tell(_ file: String, _ issuer: CertificateSubject, _ life: CertificateLife, at second: Int64) {
        tell(
            life, at: second, ["file": "\(file)", "issuer": "\(issuer.name)"], ended: CertificateNotices.expiredChain,
            ending: "a certificate of the chain expires in \(life.daysLeft(at: second)) days: see whether the authority has a newer one")
    }

    private func tell(_ life: CertificateLife, at second: Int64, _ what: Logger.Metadata, ended: String, ending: String) {
        let metadata = what.merging(["expires": "\(CertificateFiles.time(life.until))"]) { $1 }
        if life.state(at: second) == .expired {
            logger.error("\(ended)", metadata: metadata)
        } else {
            logger.warning("\(ending)", metadata: metadata)
        }
    }
}
