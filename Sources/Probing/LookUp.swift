import Glibc
import Steering

/// Asks the machine for the addresses of a name. Blocks, for as long as name servers hang.
enum LookUp {
    /// What is asked.
    struct Question: Hashable, Sendable {
        let name: String
        let family: Probe.Addresses
    }

    enum Answer: Sendable, Equatable {
        /// At least one, in the order in which the machine prefers them (RFC 6724).
        case addresses([ClientAddress])
        /// The name servers say that it has none.
        case none
        /// The name servers cannot say.
        case trouble(String)
        /// The question could not be put.
        case local(String)
    }

    static func system(_ question: Question) -> Answer {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        // One family is asked for alone, so that a name server that drops questions for the other cannot hold it up.
        unsafe hints.ai_family = question.family.family
        var list: UnsafeMutablePointer<addrinfo>?
        // A libc call; the list is read before it is freed, and outlives this function nowhere.
        let code = unsafe getaddrinfo(question.name, nil, &hints, &list)
        let number = errno
        defer { if let list = unsafe list { unsafe freeaddrinfo(list) } }
        guard code == 0 else { return failure(code, number) }
        var addresses: [ClientAddress] = []
        var next = unsafe list
        while let entry = unsafe next {
            if let address = unsafe ClientAddress(entry.pointee.ai_addr), !addresses.contains(address) { addresses.append(address) }
            unsafe next = entry.pointee.ai_next
        }
        return addresses.isEmpty ? .none : .addresses(addresses)
    }

    /// `EAI_NODATA` and `EAI_ADDRFAMILY`, which glibc's header shows to GNU programs only.
    private static let (noData, noAddressOfFamily): (CInt, CInt) = (-5, -9)

    private static func failure(_ code: CInt, _ number: CInt) -> Answer {
        // glibc answers "no such name" also when it could not open a file or a socket.
        if let lack = LocalFault.ofDescriptors() { return .local(lack) }
        switch code {
        case EAI_NONAME, noData, noAddressOfFamily: return .none
        case EAI_MEMORY: return .local("no memory for looking names up")
        case EAI_SYSTEM: return .trouble(LocalFault.text(number))
        case EAI_AGAIN: return .trouble("name servers do not answer")
        default: return .trouble(unsafe String(cString: gai_strerror(code)).lowercased())
        }
    }

    /// Runs a body on a thread of its own that ends with it.
    ///
    /// - Returns: whether the machine had a thread for it.
    static func onThread(_ body: @escaping @Sendable () -> Void) -> Bool {
        let box = unsafe Unmanaged.passRetained(Box(body))
        var attributes = pthread_attr_t()
        // Calls of POSIX threads on a local; the box is handed to the thread, which releases it.
        unsafe pthread_attr_init(&attributes)
        defer { unsafe _ = pthread_attr_destroy(&attributes) }
        unsafe pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
        unsafe pthread_attr_setstacksize(&attributes, 512 * 1024)
        var thread = pthread_t()
        let code = unsafe pthread_create(
            &thread, &attributes,
            { argument in
                if let argument = unsafe argument { unsafe Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body() }
                return nil
            }, box.toOpaque())
        if code != 0 { unsafe box.release() }
        return code == 0
    }

    private final class Box: Sendable {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}

extension Probe.Addresses {
    fileprivate var family: CInt {
        switch self {
        case .any: AF_UNSPEC
        case .ipv4: AF_INET
        case .ipv6: AF_INET6
        }
    }
}

extension ClientAddress {
    /// - Parameter address: of the length that its family says; nil when it is of another than the internet's.
    fileprivate init?(_ address: UnsafeMutablePointer<sockaddr>?) {
        guard let address = unsafe address else { return nil }
        // What `getaddrinfo` gives has the structure that its family names.
        switch CInt(unsafe address.pointee.sa_family) {
        case AF_INET:
            // After family and port: two bytes each.
            self.init(ipv4: UInt32(bigEndian: unsafe UnsafeRawPointer(address).loadUnaligned(fromByteOffset: 4, as: UInt32.self)))
        case AF_INET6:
            // After family, port and flow: two, two and four bytes (RFC 3493 §3.3).
            let bytes = unsafe UnsafeRawPointer(address) + 8
            self.init(
                high: UInt64(bigEndian: unsafe bytes.loadUnaligned(as: UInt64.self)),
                low: UInt64(bigEndian: unsafe bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
        default: return nil
        }
    }
}
