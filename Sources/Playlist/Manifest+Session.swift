extension Manifest {
    /// Where a manifest lies, whichever target it is fetched from.
    public struct Place: Sendable, Equatable {
        /// Below each target's root; begins with `/`, has neither query nor fragment, nor a dot segment.
        public let path: [UInt8]
        /// What the URLs of the film's server begin with at every target of the catalog.
        public let roots: Roots

        public init(path: [UInt8], roots: Roots) {
            self.path = path
            self.roots = roots
        }
    }

    /// Signs the URLs of one pathway, for one viewer.
    public protocol Signer: Sendable {
        /// The most bytes that a URL of this length has when it is signed.
        func capacity(_ length: Int) -> Int

        /// Appends a URL and what its target needs to answer it.
        ///
        /// - Parameter path: below the root, with its query.
        func append(_ path: ArraySlice<UInt8>, to out: inout [UInt8])
    }

    /// One place where a session may play.
    public struct Pathway: Sendable {
        /// `[A-Za-z0-9._-]`.
        public let name: String
        /// What URLs there begin with: `http://cdn.example.com/s1`.
        public let root: [UInt8]
        /// Nil: its URLs need no token.
        public let signer: (any Signer)?

        public init(name: String, root: [UInt8], signer: (any Signer)? = nil) {
            self.name = name
            self.root = root
            self.signer = signer
        }

        func append(_ path: ArraySlice<UInt8>, to out: inout [UInt8]) {
            if let signer { return signer.append(path, to: &out) }
            out += root
            out += path
        }
    }

    /// What one session is told. URLs have visible ASCII characters alone, without quotes and angle brackets.
    public struct Session: Sendable {
        /// By preference; at least one.
        public var pathways: [Pathway]
        /// Where players ask for steering.
        public var steeringURL: [UInt8]
        /// Where the manifest itself is asked for again; used where a player does that (DASH).
        public var reloadURL: [UInt8]
        /// What stands in the place of a root in URLs of media playlists, for players that know no pathways; nil: there are no such links.
        public var linkRoot: [UInt8]?
        /// Whether there are pathways; where links are too, they come first.
        public var hasPathways: Bool

        /// - Parameter hasPathways: nil: where there are no links.
        public init(
            pathways: [Pathway], steeringURL: [UInt8], reloadURL: [UInt8], linkRoot: [UInt8]? = nil, hasPathways: Bool? = nil
        ) {
            self.pathways = pathways
            self.steeringURL = steeringURL
            self.reloadURL = reloadURL
            self.linkRoot = linkRoot
            self.hasPathways = hasPathways ?? (linkRoot == nil)
        }
    }
}
