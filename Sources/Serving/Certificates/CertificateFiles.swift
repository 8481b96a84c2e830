import Dispatch
import Foundation
import Logging
import TLS

/// The operator's certificates: what is loaded of each, and what became of the newest files.
actor CertificateFiles {
    /// A pair as it lies there, or why it cannot be read.
    struct Files: Equatable {
        let place: CertificatePlace
        var chain: [UInt8] = []
        var key: [UInt8] = []
        /// Empty without a response.
        var staple: [UInt8] = []
        var trouble: String?
        /// Of the response alone.
        var stapleTrouble: String?
    }

    private let places: [CertificatePlace]
    /// Where they are set, for faults.
    private let setting: Setting
    /// Nil: the keys are this balancer's own.
    private let ticketKeysPath: String?
    private let logger: Logger
    /// Milliseconds since 1970-01-01 UTC.
    private let now: @Sendable () -> Int64
    /// By a clock that nobody sets: keys rotate in time, whatever the other says.
    private let uptime: @Sendable () -> Duration
    /// What was seen last.
    private var seen: [Files] = []
    /// The newest good one of each place.
    private var loaded: [CertificatePlace: ServerCertificate] = [:]
    /// What those were made of.
    private var sources: [CertificatePlace: Files] = [:]
    /// Why the newest files of a place are not in use.
    private var refused: [CertificatePlace: String] = [:]
    private var reminder = CertificateReminder<CertificatePlace>()
    private var tickets = TicketKeys()
    private var ticketsSince: Duration
    /// What the file of keys was seen with last.
    private var seenTicketKeys: Result<[UInt8], TLSError>?
    private var selfSigned: (chain: [UInt8], key: [UInt8])?

    init(
        _ places: [CertificatePlace], setting: Setting = Setting.table.tlsCertificate, ticketKeys: String? = nil, logger: Logger,
        now: @escaping @Sendable () -> Int64, uptime: @escaping @Sendable () -> Duration
    ) {
        self.places = places
        self.setting = setting
        ticketKeysPath = ticketKeys
        self.logger = logger
        self.now = now
        self.uptime = uptime
        ticketsSince = uptime()
    }

    /// What is loaded, in the settings' order.
    var certificates: [ServerCertificate] { seen.compactMap { loaded[$0.place] } }

    /// Every place as `status` shows it, in the settings' order.
    var reports: [CertificateReport] {
        seen.map { files in
            let certificate = loaded[files.place]
            return CertificateReport(
                file: files.name, names: certificate?.names ?? [],
                life: certificate.map { CertificateLife(from: $0.validFrom, until: $0.validUntil) }, trouble: refused[files.place])
        }
    }

    /// The first one that is loaded, as PEM.
    var first: (chain: [UInt8], key: [UInt8])? {
        seen.lazy.compactMap { self.sources[$0.place] }.first.map { ($0.chain, $0.key) }
    }

    /// Loads them for the first time.
    ///
    /// - Throws: `ConfigurationFault` with every fault, one a line.
    func load() async throws -> TLSIdentity {
        if places.contains(.selfSigned) { try makeSelfSigned() }
        seen = await read()
        var faults = seen.compactMap(\.trouble)
        for files in seen where files.trouble == nil {
            do throws(TLSError) { try take(files) } catch { faults.append(error.description) }
        }
        for case .folder(let folder) in places where CertificatePlace.pairs(in: folder).isEmpty {
            faults.append("\(folder) has no NAME.pem or NAME.crt beside NAME.key, and no fullchain.pem beside privkey.pem")
        }
        faults = faults.map { "\(setting.names): \($0)" }
        do throws(TLSError) { _ = try await takeTicketKeys() } catch { faults.append("\(Setting.table.tlsTicketKeys.names): \(error)") }
        if !faults.isEmpty { throw ConfigurationFault(faults.joined(separator: "\n")) }
        for certificate in certificates { warnOfTime(certificate) }
        remind()
        return TLSIdentity(certificates, tickets: tickets)
    }

    /// Reads all again. What cannot be used is told once, and what was loaded before it stays.
    ///
    /// - Returns: nil when nothing is another now.
    func look() async -> TLSIdentity? {
        let files = await read()
        var isChanged = await renewTickets()
        if files != seen { isChanged = take(files) || isChanged }
        isChanged = dropStaples() || isChanged
        remind()
        return isChanged ? TLSIdentity(certificates, tickets: tickets) : nil
    }

    private func take(_ files: [Files]) -> Bool {
        let before = certificates
        let old = seen
        seen = files
        for files in files where !old.contains(files) { renew(files) }
        if certificates.isEmpty {
            logger.error("the folders have no certificate any more: those loaded before stay")
            seen = old
        }
        loaded = loaded.filter { place, _ in seen.contains { $0.place == place } }
        sources = sources.filter { loaded[$0.key] != nil }
        refused = refused.filter { place, _ in seen.contains { $0.place == place } }
        return !certificates.elementsEqual(before, by: ===)
    }

    private func renew(_ files: Files) {
        do throws(TLSError) {
            if let trouble = files.trouble { throw TLSError(trouble) }
            let certificate = try certificate(files)
            if certificate.validUntil * 1000 <= now() {
                throw TLSError("\(files.name) has expired at \(CertificateFiles.time(certificate.validUntil)); renew it")
            }
            keep(certificate, files)
            warnOfTime(certificate)
            logger.notice(
                "certificate loaded",
                metadata: [
                    "file": "\(files.name)", "names": "\(certificate.names.joined(separator: ", "))",
                    "expires": "\(CertificateFiles.time(certificate.validUntil))",
                ])
        } catch {
            refused[files.place] = "\(error)"
            logger.error(
                loaded[files.place] == nil
                    ? "the certificate cannot be used: its names get another one until good files are there"
                    : "the new certificate cannot be used: the one loaded before stays until good files are there",
                metadata: ["error": "\(error)"])
        }
    }

    private func take(_ files: Files) throws(TLSError) { keep(try certificate(files), files) }

    private func keep(_ certificate: ServerCertificate, _ files: Files) {
        loaded[files.place] = certificate
        sources[files.place] = files
        refused[files.place] = nil
    }

    private func certificate(_ files: Files) throws(TLSError) -> ServerCertificate {
        let certificate = try ServerCertificate(chain: files.chain, key: files.key, at: (files.name, files.keyName))
        do {
            if let trouble = files.stapleTrouble { throw TLSError(trouble) }
            guard !files.staple.isEmpty else { return certificate }
            let staple = try OCSPResponse(files.staple, at: files.stapleName, for: certificate, now: now() / 1000)
            return try ServerCertificate(chain: files.chain, key: files.key, at: (files.name, files.keyName), staple: staple)
        } catch {
            // Clients decide about a certificate without one too.
            logger.error("the OCSP response cannot be used: its certificate is shown without one", metadata: ["error": "\(error)"])
            return certificate
        }
    }

    /// Takes expired responses away: clients refuse those, and are content without one.
    private func dropStaples() -> Bool {
        var isChanged = false
        for files in seen {
            guard let end = loaded[files.place]?.staple?.validUntil, end * 1000 <= now() else { continue }
            // What was loaded is loaded again, and without its response, of which a line is told.
            guard let certificate = try? certificate(files) else { continue }
            loaded[files.place] = certificate
            isChanged = true
        }
        return isChanged
    }

    private func warnOfTime(_ certificate: ServerCertificate) {
        if certificate.validFrom * 1000 > now() {
            logger.error(
                "a certificate is not valid yet, and clients refuse it: is the clock right?",
                metadata: [
                    "names": "\(certificate.names.joined(separator: ", "))",
                    "validFrom": "\(CertificateFiles.time(certificate.validFrom))",
                ])
        }
    }

    /// An expired one serves all the same: clients decide, and without it they would have nothing to decide about.
    private func remind() {
        for files in seen {
            guard let certificate = loaded[files.place] else { continue }
            let life = CertificateLife(from: certificate.validFrom, until: certificate.validUntil)
            guard reminder.isDue(files.place, life, at: now() / 1000) else { continue }
            let metadata: Logger.Metadata = [
                "file": "\(files.name)", "names": "\(certificate.names.joined(separator: ", "))",
                "expires": "\(CertificateFiles.time(certificate.validUntil))",
            ]
            if life.state(at: now() / 1000) == .expired {
                logger.error("a certificate has expired, and clients refuse it: renew it", metadata: metadata)
            } else {
                logger.warning(
                    "a certificate expires in \(life.daysLeft(at: now() / 1000)) days and was not renewed: see what should renew it",
                    metadata: metadata)
            }
        }
        reminder.keep(loaded.keys)
    }

    /// - Returns: whether they are others now.
    private func renewTickets() async -> Bool {
        guard ticketKeysPath != nil else { return rotateTickets() }
        do throws(TLSError) {
            guard try await takeTicketKeys() else { return false }
            logger.notice("ticket keys loaded", metadata: ["file": "\(ticketKeysPath ?? "")"])
            return true
        } catch {
            logger.error(
                "the new ticket keys cannot be used: those loaded before stay until a good file is there", metadata: ["error": "\(error)"])
            return false
        }
    }

    /// Takes the keys of the fleet's file over, if it is another one than before.
    private func takeTicketKeys() async throws(TLSError) -> Bool {
        guard let path = ticketKeysPath else { return false }
        let read = await CertificateFiles.onThread { Result { () throws(TLSError) in try Files.read(path) } }
        if read == seenTicketKeys { return false }
        seenTicketKeys = read
        tickets = try TicketKeys(read.get(), at: path)
        return true
    }

    private func rotateTickets() -> Bool {
        guard uptime() - ticketsSince >= .seconds(TicketKeys.rotation) else { return false }
        ticketsSince = uptime()
        tickets = tickets.rotated()
        return true
    }

    private func makeSelfSigned() throws {
        let begin = now() / 1000
        let host = ProcessInfo.processInfo.hostName
        let names = ["localhost", "127.0.0.1", "::1"] + (host == "localhost" || host.isEmpty ? [] : [host])
        selfSigned = try SelfSigned.make(names: names, from: begin - 3600, until: begin + 30 * 24 * 3600)
        logger.warning(
            "HTTPS by a self-signed certificate, made anew at each start: browsers warn of it, and players refuse it. For a first try only",
            metadata: ["names": "\(names.joined(separator: ", "))"])
    }

    private func read() async -> [Files] {
        let places = places
        let selfSigned = selfSigned
        return await CertificateFiles.onThread {
            let pairs = places.flatMap { place in
                if case .folder(let folder) = place { CertificatePlace.pairs(in: folder) } else { [place] }
            }
            return pairs.map { Files($0, selfSigned) }
        }
    }

    /// Runs `body` on a thread of the system's: a disk may hang, and the few that tasks run on are wanted elsewhere.
    private static func onThread<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in DispatchQueue.global().async { continuation.resume(returning: body()) } }
    }

    private static func time(_ seconds: Int64) -> String { BalancerNode.time(seconds * 1000) }
}
