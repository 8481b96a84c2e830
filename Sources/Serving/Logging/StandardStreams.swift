import Glibc

/// What every process needs of its standard streams before it opens anything.
public enum StandardStreams {
    /// A reader that goes is an error of a write and no signal. A stream that the parent closed is opened as one that fails: its number
    /// would otherwise go to the next file, and lines for people into a database.
    public static func prepare() {
        signal(SIGPIPE, SIG_IGN)
        for number in CInt(0)...2 where fcntl(number, F_GETFD) < 0 {
            // unsafe: the path is copied during the call. Opened for the other direction, so that using it is EBADF as before; the lowest
            // free number is this one.
            _ = unsafe open("/dev/null", number == 0 ? O_WRONLY : O_RDONLY)
        }
    }
}
