import Edge
import Logging
import Probing
import ServiceLifecycle

/// Judges CDNs by what their players do, where the catalog has `failover.passive`.
struct PlayerVerdictService: Service {
    let edge: EdgeServer
    let publisher: Publisher
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var verdicts = PlayerVerdicts()
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(PlayerVerdicts.window))
                await judge(&verdicts)
            }
        }
    }

    private func judge(_ verdicts: inout PlayerVerdicts) async {
        guard let networks = try? await edge.takeReports() else { return }
        for change in verdicts.judge(networks.mapValues { ($0.seen, $0.left) }) {
            logger.log(
                level: change.isUp ? .notice : .error,
                change.isUp
                    ? "cdn \(change.cdn) gets players again, to see whether they stay"
                    : "cdn \(change.cdn) is left by its players; nothing new goes there for now, see failover.passive",
                metadata: ["networks": "\(change.seen)", "left": "\(change.left)"])
        }
        await publisher.leftCDNsChanged(verdicts.down)
    }
}
