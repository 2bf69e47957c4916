#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Darwin)
  internal import Darwin
#endif

/// The target that `LONGSPAN_FUZZ_TARGET` names, for a process that libFuzzer runs.
private let chosen = getenv("LONGSPAN_FUZZ_TARGET").flatMap { FuzzTarget(rawValue: String(cString: $0)) }

/// What libFuzzer calls. Nobody else does.
@_cdecl("LLVMFuzzerTestOneInput")
public func longspanFuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard let chosen else {
    say("LONGSPAN_FUZZ_TARGET is one of \(FuzzTarget.allCases.map(\.rawValue))")
    exit(64)
  }
  do {
    try chosen.run(Array(UnsafeBufferPointer(start: start, count: count)))
  } catch {
    say("FINDING \(chosen.rawValue): \(error)")
    abort()
  }
  return 0
}

private func say(_ text: String) {
  var line = text + "\n"
  _ = line.withUTF8 { write(STDERR_FILENO, $0.baseAddress, $0.count) }
}
