import ArgumentParser
import Edge
import Foundation
import GeoIP
import Serving
import Steering
import Storage

/// Exit codes (sysexits(3)) and how a command ends in error: lines on standard error that say what to do.
enum Exit {
    static let failure = ExitCode(1)
    static let badConfiguration = ExitCode(78)

    /// Runs a command's body; errors of ours become a line and an exit code instead of a dump.
    static func reporting(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch let fault as ConfigurationFault {
            StandardError.say(fault.description)
            throw badConfiguration
        } catch let faults as CatalogFaults {
            StandardError.say(faults.description)
            throw badConfiguration
        } catch let error as StorageError {
            StandardError.say(error.description)
            throw error.kind == .badURL || error.kind == .unsupported ? badConfiguration : failure
        } catch let error as GeoIPError {
            StandardError.say(error.description)
            throw badConfiguration
        } catch let error as EdgeError {
            StandardError.say(error.description)
            throw failure
        } catch let fault as StandardOutput.Fault {
            if !fault.isClosedPipe { StandardError.say(fault.description) }
            throw failure
        } catch let code as ExitCode {
            throw code
        } catch {
            StandardError.say("\(error)")
            throw failure
        }
    }
}
