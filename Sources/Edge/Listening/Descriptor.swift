import Glibc

/// Owns one file descriptor and closes it once, when it goes out of scope or is replaced.
struct Descriptor: ~Copyable {
    let number: CInt

    /// - Parameter number: an open descriptor that nobody else closes.
    init(owning number: CInt) { self.number = number }

    /// Gives the descriptor away; the receiver closes it.
    consuming func release() -> CInt {
        let number = number
        discard self
        return number
    }

    deinit { _ = Glibc.close(number) }
}
