import Foundation
import Testing

extension LongspanProcess {
  /// Memory that the process has from the system now, in bytes.
  func residentMemory() throws -> Int { try memory("VmRSS:") }

  /// The most that it ever had, in bytes, as the kernel counts it.
  func peakMemory() throws -> Int { try memory("VmHWM:") }

  private func memory(_ name: String) throws -> Int {
    let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix(name) })
    return try #require(Int(line.split(separator: " ").dropFirst().first ?? "")) << 10
  }
}
