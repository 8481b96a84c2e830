import Logging
import TLS

/// The file of authorities, one of which must have issued the certificate that a client of the control plane shows.
actor ClientAuthorityFile {
    private let path: String
    private let logger: Logger
    /// Milliseconds since 1970-01-01 UTC.
    private let now: @Sendable () -> Int64
    private var seen: Result<[UInt8], TLSError>?
    private var authorities: ClientAuthorities?
    /// What is in use, as PEM.
    private(set) var pem: [UInt8] = []
    /// Why the file as it is now is not in use.
    private var trouble: String?
    private var reminder = CertificateReminder<String>()

    init(_ path: String, logger: Logger, now: @escaping @Sendable () -> Int64) {
        self.path = path
        self.logger = logger
        self.now = now
    }

    /// Loads it for the first time.
    ///
    /// - Throws: `ConfigurationFault` with what is wrong with it.
    func load() async throws {
        do throws(TLSError) { _ = try await take() } catch {
            throw ConfigurationFault("\(Setting.table.adminClientCA.names): \(error)")
        }
        remind()
    }

    /// Reads it again. What cannot be used is told once, and what was loaded before it stays.
    ///
    /// - Returns: whether there are others now.
    func look() async -> Bool {
        defer { remind() }
        do throws(TLSError) {
            guard try await take() else { return false }
            logger.notice(
                "authorities for clients loaded",
                metadata: ["file": "\(path)", "names": "\(authorities?.subjects.map(\.name).joined(separator: ", ") ?? "")"])
            return true
        } catch {
            trouble = "\(error)"
            logger.error(
                "the new authorities for clients cannot be used: those loaded before stay until a good file is there",
                metadata: ["error": "\(error)"])
            return false
        }
    }

    private func take() async throws(TLSError) -> Bool {
        let path = path
        let read = await CertificateFiles.onThread { Result { () throws(TLSError) in try CertificateFiles.Files.read(path) } }
        if read == seen { return false }
        seen = read
        let bytes = try read.get()
        authorities = try ClientAuthorities(bytes, at: path, now: now() / 1000)
        pem = bytes
        trouble = nil
        return true
    }

    private func remind() {
        let second = now() / 1000
        for subject in authorities?.subjects ?? [] {
            let life = CertificateLife(from: subject.validFrom, until: subject.validUntil)
            guard reminder.isDue(subject.name, life, at: second) else { continue }
            logger.warning(
                life.state(at: second) == .expired
                    ? "an authority for clients has expired: those with its certificates get in no more"
                    : "an authority for clients expires in \(life.daysLeft(at: second)) days: give them certificates of a new one",
                metadata: ["file": "\(path)", "authority": "\(subject.name)"])
        }
        reminder.keep(authorities?.subjects.map(\.name) ?? [])
    }

    /// Each authority as `status` shows it.
    var reports: [CertificateReport] {
        (authorities?.subjects ?? []).map { subject in
            CertificateReport(
                file: path, names: [subject.name], life: CertificateLife(from: subject.validFrom, until: subject.validUntil),
                trouble: trouble)
        }
    }
}
