import Foundation

/// The thread of a balancer's first fast loop, as the kernel knows it.
struct FastThread {
    let id: String
    private let process: pid_t

    init(of balancer: Balancer) throws {
        process = balancer.process.id
        let tasks = "/proc/\(balancer.process.id)/task"
        let names = try FileManager.default.contentsOfDirectory(atPath: tasks)
        let found = names.first { (try? String(contentsOfFile: "\(tasks)/\($0)/comm", encoding: .utf8)) == "fast-0\n" }
        guard let found else { throw Failure("no thread fast-0 in process \(balancer.process.id)") }
        id = found
    }

    /// How often it went to sleep: an epoll_wait that found nothing ready.
    var sleeps: Int { get throws { try count("voluntary_ctxt_switches:") } }

    private func count(_ name: String) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(process)/task/\(id)/status", encoding: .utf8)
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix(name) }),
            let number = Int(line.dropFirst(name.count).trimmingCharacters(in: .whitespaces))
        else { throw Failure("no \(name) in \(status)") }
        return number
    }
}
