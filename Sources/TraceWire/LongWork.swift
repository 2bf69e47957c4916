internal import Glibc

/// Work on a large request, which takes longer than others should have to wait for its thread's core.
///
/// Where there are more threads than cores, the system lets a thread that it has picked run on until its next look at
/// the clock, several milliseconds later, whatever its priority is. A thread that sleeps is not run on: so long work
/// sleeps for a moment after each portion, and whoever waits for the core has it before that.
public enum LongWork {
  /// Spans between two pauses: a fraction of a millisecond's work.
  @usableFromInline static let portion = 1 << 11

  /// To be called for each span of a large request with its number.
  @inlinable @inline(__always) public static func step(_ number: Int) {
    if number & (portion &- 1) == portion &- 1 { pause() }
  }

  /// Lets whoever wants it have the core.
  public static func pause() {
    var moment = timespec(tv_sec: 0, tv_nsec: 10_000)
    _ = nanosleep(&moment, nil)
  }
}
