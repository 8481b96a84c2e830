import Steering
import Synchronization

/// How many requests a second a client may send. All workers share it.
///
/// A token bucket for each network, held as one number, the time at which it is full again (the generic cell rate algorithm, ITU-T I.371),
/// in a table of fixed size. An IPv4 client is told apart by its address, an IPv6 client by its /56, which is what a subscriber has.
public final class ClientRate: Sendable {
    /// Networks that are told apart at once; of more, those that were quiet longest are forgotten, which is in their favour.
    static let capacity = 65_536
    private static let ways = 8
    private static let shardCount = 64

    private struct Bucket {
        var network: UInt64 = 0
        var fullAt: UInt64 = 0
    }

    private final class Shard: Sendable {
        let buckets = Mutex([Bucket](repeating: Bucket(), count: ClientRate.capacity / ClientRate.shardCount))
    }

    private let shards = (0..<ClientRate.shardCount).map { _ in Shard() }
    /// Secret, so that nobody can choose addresses that share a place.
    private let seed: UInt64
    /// Nanoseconds to one token.
    private let interval: UInt64
    /// Nanoseconds that a bucket may be from full.
    private let tolerance: UInt64

    /// - Parameters:
    ///   - perSecond: tokens a second, 1 to 10,000.
    ///   - burst: tokens of a full bucket, 1 to 100,000: requests that may come at once.
    public init(perSecond: Int, burst: Int, seed: UInt64 = .random(in: 1 ... .max)) {
        interval = 1_000_000_000 / UInt64(min(max(1, perSecond), 10_000))
        tolerance = interval * UInt64(min(max(1, burst), 100_000) - 1)
        self.seed = seed
    }

    /// Takes a token of the client's network; any thread.
    ///
    /// - Parameter now: nanoseconds of a clock that only goes forward.
    /// - Returns: false when there is none.
    func admits(_ client: ClientAddress, now: UInt64) -> Bool {
        let hash = hash(of: client)
        let first = ClientRate.first(hash)
        return shard(hash).buckets.withLock { buckets in
            var place = first
            for index in first..<first + ClientRate.ways {
                if buckets[index].network == hash {
                    place = index
                    break
                }
                if buckets[index].fullAt < buckets[place].fullAt { place = index }
            }
            let fullAt = buckets[place].network == hash ? max(buckets[place].fullAt, now) : now
            guard fullAt - now <= tolerance else { return false }
            buckets[place] = Bucket(network: hash, fullAt: fullAt &+ interval)
            return true
        }
    }

    /// Puts a token back that was taken for a request which is asked about once more; any thread.
    func giveBack(_ client: ClientAddress) {
        let hash = hash(of: client)
        let first = ClientRate.first(hash)
        shard(hash).buckets.withLock { buckets in
            for index in first..<first + ClientRate.ways where buckets[index].network == hash {
                buckets[index].fullAt -= min(interval, buckets[index].fullAt)
            }
        }
    }

    private func hash(of client: ClientAddress) -> UInt64 {
        let network = client.prefix(client.isIPv4 ? 128 : 56)
        return Rendezvous.mixed(network.high ^ Rendezvous.mixed(network.low ^ seed))
    }

    private func shard(_ hash: UInt64) -> Shard { shards[Int(hash % UInt64(ClientRate.shardCount))] }

    /// The first of the places that a network may have in its shard.
    private static func first(_ hash: UInt64) -> Int {
        let sets = ClientRate.capacity / ClientRate.shardCount / ClientRate.ways
        return Int(hash / UInt64(ClientRate.shardCount) % UInt64(sets)) * ClientRate.ways
    }
}
