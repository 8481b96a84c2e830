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
    /// Of those that were refused because they are not valid yet, when they will be.
    private var early: [CertificatePlace: Int64] = [:]
    /// Why a response beside a certificate is not shown with it.
    private var leftOut: [CertificatePlace: String] = [:]
    /// Since when a pair is no more in its folder.
    private var gone: [CertificatePlace: Duration] = [:]
    private var unreadable: [String: String] = [:]
    /// Of pairs whose folder cannot be read, why.
    private var hidden: [CertificatePlace: String] = [:]
    /// What clients are shown.
    private var shown: [ServerCertificate] = []
    /// Why that is not what handshakes show.
    private var notInUse: String?
    private var notices: CertificateNotices
    private var tickets: TicketKeyFile
    private var selfSigned: (chain: [UInt8], key: [UInt8])?

    /// Pairs that are gone stay for that long: who renews one may take it away for a moment.
    private static let patience = Duration.seconds(5)

    /// - Parameter ticketKeys: the file of a fleet's; nil: the process makes its own.
    init(
        _ places: [CertificatePlace], setting: Setting = Setting.table.tlsCertificate, ticketKeys: String? = nil, logger: Logger,
        now: @escaping @Sendable () -> Int64, uptime: @escaping @Sendable () -> Duration
    ) {
        self.places = places
        self.setting = setting
        self.logger = logger
        self.now = now
        self.uptime = uptime
        notices = CertificateNotices(logger: logger)
        tickets = TicketKeyFile(ticketKeys, uptime: uptime(), now: now())
    }

    /// What is loaded, in the settings' order.
    var certificates: [ServerCertificate] { seen.compactMap { loaded[$0.place] } }

    /// What is loaded as PEM, in the same order.
    var pem: [(chain: [UInt8], key: [UInt8], certificate: ServerCertificate)] {
        let places = Dictionary(loaded.map { (ObjectIdentifier($0.value), $0.key) }) { $1 }
        return shown.compactMap { certificate in
            places[ObjectIdentifier(certificate)].flatMap { sources[$0] }.map { ($0.chain, $0.key, certificate) }
        }
    }

    /// Every place as `status` shows it, in the settings' order.
    var reports: [CertificateReport] {
        seen.map { files in
            guard let certificate = loaded[files.place] else { return CertificateReport(file: files.name, trouble: refused[files.place]) }
            return CertificateReport(
                file: files.name, names: certificate.names + certificate.addresses,
                life: CertificateLife(from: certificate.validFrom, until: certificate.validUntil), ocsp: ocsp(files.place, certificate),
                trouble: hidden[files.place] ?? refused[files.place] ?? notInUse,
                warnings: CertificateNotices.warnings(about: certificate, at: now() / 1000))
        }
    }

    private func ocsp(_ place: CertificatePlace, _ certificate: ServerCertificate) -> OCSPReport? {
        if let why = leftOut[place] { return OCSPReport(trouble: why) }
        return certificate.staple.map { OCSPReport(validFrom: $0.validFrom, validUntil: $0.validUntil) }
    }

    var ticketKeys: TicketKeyReport { tickets.report }

    /// Loads them for the first time.
    ///
    /// - Throws: `ConfigurationFault` with every fault, one a line.
    func load() async throws -> TLSIdentity {
        if places.contains(.selfSigned) { try makeSelfSigned() }
        let reading = await read()
        seen = reading.files
        unreadable = reading.unreadable
        var faults = seen.compactMap(\.trouble)
        for files in seen where files.trouble == nil {
            do throws(TLSError) { keep(try certificate(files), files) } catch { faults.append(error.description) }
        }
        faults += emptyFolders()
        faults = faults.map { "\(setting.names): \($0)" }
        do throws(TLSError) { _ = try await takeTicketKeys() } catch { faults.append("\(Setting.table.tlsTicketKeys.names): \(error)") }
        if !faults.isEmpty { throw ConfigurationFault(faults.joined(separator: "\n")) }
        for (folder, why) in unreadable.sorted(by: { $0.key < $1.key }) { tellUnreadable(folder, why) }
        for files in seen {
            if let certificate = loaded[files.place] { notices.warn(of: certificate, files.name) }
        }
        remind()
        shown = serving
        return TLSIdentity(shown, tickets: tickets.keys)
    }

    private func emptyFolders() -> [String] {
        places.compactMap { place in
            guard case .folder(let folder) = place, !seen.contains(where: { $0.place.isBelow(folder) }) else { return nil }
            if let (path, why) = unreadable.filter({ $0.key == folder || $0.key.hasPrefix(folder + "/") }).min(by: { $0.key < $1.key }) {
                return "\(path) cannot be read: \(why)"
            }
            return "\(folder) has no NAME.pem or NAME.crt beside NAME.key, and no fullchain.pem beside privkey.pem"
        }
    }

    /// Reads all again. What cannot be used is told once, and what was loaded before it stays.
    ///
    /// - Returns: nil when nothing is another now.
    func look() async -> TLSIdentity? {
        let reading = await read()
        var isChanged = await renewTickets()
        let files = files(of: reading)
        if files != seen { take(files) }
        for files in seen where early[files.place].map({ $0 <= now() / 1000 }) == true { renew(files) }
        dropStaples()
        remind()
        let serving = serving
        isChanged = isChanged || notInUse != nil || !serving.elementsEqual(shown, by: ===)
        shown = serving
        notInUse = nil
        return isChanged ? TLSIdentity(shown, tickets: tickets.keys) : nil
    }

    /// Told that what `look` has returned could not be taken into use: the next one returns it again.
    func isNotInUse(_ why: String) { notInUse = why }

    /// What was read, and beside it pairs that are not there any more and stay all the same: their folder cannot be read, or they went a
    /// moment ago.
    private func files(of reading: Reading) -> [Files] {
        for (folder, why) in reading.unreadable where unreadable[folder] != why { tellUnreadable(folder, why) }
        unreadable = reading.unreadable
        hidden = [:]
        let read = Dictionary(reading.files.map { ($0.place, $0) }) { $1 }
        let known = Set(seen.map(\.place))
        gone = gone.filter { read[$0.key] == nil && known.contains($0.key) }
        guard seen.contains(where: { read[$0.place] == nil }) else { return reading.files }
        // In their places: the first one is for everybody.
        return seen.compactMap { read[$0.place] ?? (stays($0.place) ? $0 : nil) } + reading.files.filter { !known.contains($0.place) }
    }

    private func stays(_ place: CertificatePlace) -> Bool {
        if let (folder, why) = unreadable.first(where: { place.isBelow($0.key) }) {
            hidden[place] = "\(folder) cannot be read: \(why)"
            gone[place] = nil
            return true
        }
        let since = gone[place] ?? uptime()
        gone[place] = since
        return uptime() - since < CertificateFiles.patience
    }

    private func tellUnreadable(_ folder: String, _ why: String) {
        logger.error(
            "a folder of certificates cannot be read: those that were loaded of it stay", metadata: ["error": "\(folder): \(why)"])
    }

    private func take(_ files: [Files]) {
        let old = seen
        let before = Dictionary(old.map { ($0.place, $0) }) { $1 }
        seen = files
        for files in files where before[files.place] != files { renew(files) }
        if certificates.isEmpty {
            logger.error("the folders have no certificate any more: those loaded before stay")
            seen = old
        }
        let places = Set(seen.map(\.place))
        loaded = loaded.filter { places.contains($0.key) }
        sources = sources.filter { loaded[$0.key] != nil }
        refused = refused.filter { places.contains($0.key) }
        early = early.filter { places.contains($0.key) }
        leftOut = leftOut.filter { places.contains($0.key) }
    }

    private func renew(_ files: Files) {
        early[files.place] = nil
        do throws(TLSError) {
            if let trouble = files.trouble { throw TLSError(trouble) }
            let certificate = try certificate(files)
            try requireTime(certificate, files)
            keep(certificate, files)
            notices.warn(of: certificate, files.name)
            logger.notice(
                "certificate loaded",
                metadata: [
                    "file": "\(files.name)", "names": "\(certificate.namesInWords)",
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

    /// An expired one takes no place, and one that begins later none of a valid one before that.
    private func requireTime(_ certificate: ServerCertificate, _ files: Files) throws(TLSError) {
        let second = now() / 1000
        if certificate.validUntil <= second {
            throw TLSError("\(files.name) has expired at \(CertificateFiles.time(certificate.validUntil)); renew it")
        }
        if certificate.validFrom > second, let old = loaded[files.place], old.isValid(at: second) {
            early[files.place] = certificate.validFrom
            throw TLSError(
                "\(files.name) is not valid before \(CertificateFiles.time(certificate.validFrom)), and taken then; is the clock right?")
        }
    }

    private func keep(_ certificate: ServerCertificate, _ files: Files) {
        loaded[files.place] = certificate
        sources[files.place] = files
        refused[files.place] = nil
    }

    private func certificate(_ files: Files) throws(TLSError) -> ServerCertificate {
        let certificate = try ServerCertificate(chain: files.chain, key: files.key, at: (files.name, files.keyName))
        leftOut[files.place] = nil
        do {
            if let trouble = files.stapleTrouble { throw TLSError(trouble) }
            guard !files.staple.isEmpty else { return certificate }
            let staple = try OCSPResponse(files.staple, at: files.stapleName, for: certificate, now: now() / 1000)
            return try ServerCertificate(chain: files.chain, key: files.key, at: (files.name, files.keyName), staple: staple)
        } catch {
            // Clients decide about a certificate without one too.
            leftOut[files.place] = "\(error)"
            logger.error("the OCSP response cannot be used: its certificate is shown without one", metadata: ["error": "\(error)"])
            return certificate
        }
    }

    /// Takes expired responses away: clients refuse those, and are content without one.
    private func dropStaples() {
        for files in seen {
            guard let end = loaded[files.place]?.staple?.validUntil, end * 1000 <= now(), let source = sources[files.place] else {
                continue
            }
            // What was loaded is loaded again, and without its response, of which a line is told.
            if let certificate = try? certificate(source) { loaded[files.place] = certificate }
        }
    }

    /// What is loaded without those that are not valid now, where valid ones have all their names.
    private var serving: [ServerCertificate] {
        let second = now() / 1000
        let valid = certificates.filter { $0.isValid(at: second) }
        let names = Set(valid.flatMap(\.names))
        let kept = certificates.filter { $0.isValid(at: second) || $0.names.isEmpty || !names.isSuperset(of: $0.names) }
        // The first one is for everybody, so its place goes to whoever has its name.
        guard let first = certificates.first, kept.first !== first, let name = first.names.first,
            let heir = kept.firstIndex(where: { $0.names.contains(name) })
        else { return kept }
        return [kept[heir]] + kept[..<heir] + kept[(heir + 1)...]
    }

    private func remind() {
        notices.tell(seen.compactMap { files in loaded[files.place].map { (files.place, files.name, $0) } }, at: now() / 1000)
    }

    // MARK: Tickets

    /// - Returns: whether they are others now.
    private func renewTickets() async -> Bool {
        guard let path = tickets.path else { return tickets.rotate(uptime: uptime(), now: now()) }
        do throws(TLSError) {
            guard try await takeTicketKeys() else { return false }
            logger.notice("ticket keys loaded", metadata: ["file": "\(path)", "generation": "\(tickets.keys.generation)"])
            return true
        } catch {
            logger.error(
                "the new ticket keys cannot be used: those loaded before stay until a good file is there", metadata: ["error": "\(error)"])
            return false
        }
    }

    /// Takes the keys of the fleet's file over, if it is another one than before.
    private func takeTicketKeys() async throws(TLSError) -> Bool {
        guard let path = tickets.path else { return false }
        let read = await CertificateFiles.onThread { Result { () throws(TLSError) in try Files.read(path) } }
        return try tickets.take(read, now: now())
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

    // MARK: Reading

    private struct Reading: Sendable {
        var files: [Files] = []
        var unreadable: [String: String] = [:]
    }

    private func read() async -> Reading {
        let places = places
        let selfSigned = selfSigned
        return await CertificateFiles.onThread {
            var reading = Reading()
            for place in places {
                guard case .folder(let path) = place else {
                    reading.files.append(Files(place, selfSigned))
                    continue
                }
                let folder = CertificateFolder(path)
                reading.files += folder.pairs.map { Files($0, nil) }
                reading.unreadable.merge(folder.unreadable) { $1 }
            }
            return reading
        }
    }

    /// Runs `body` on a thread of the system's: a disk may hang, and the few that tasks run on are wanted elsewhere.
    static func onThread<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in DispatchQueue.global().async { continuation.resume(returning: body()) } }
    }

    static func time(_ seconds: Int64) -> String { BalancerNode.time(seconds * 1000) }
}

extension ServerCertificate {
    /// - Parameter second: since 1970-01-01 UTC.
    func isValid(at second: Int64) -> Bool { validFrom <= second && second < validUntil }

    var namesInWords: String { (names + addresses).joined(separator: ", ") }
}
