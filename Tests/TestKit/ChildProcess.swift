public import Foundation
import Glibc

/// Another program that a test started.
///
/// Not Foundation's `Process`: there, programs that start at the same moment may inherit each other's pipes, and the end
/// of one is then not seen before the other's.
public final class ChildProcess: Sendable {
  /// Why a program could not be started.
  public struct Failure: Error {
    public let message: String
  }

  public let pid: Int32
  private let exit = Exit()

  /// How it ended, once it has.
  private final class Exit: @unchecked Sendable {
    private let group = DispatchGroup()
    private let lock = NSLock()
    private var status: Int32?

    init() { group.enter() }

    /// Waits for the end and reaps the process, which may have no other signal sent to it from then on.
    func reap(_ pid: pid_t) {
      var about = siginfo_t()
      while waitid(P_PID, id_t(pid), &about, WEXITED | WNOWAIT) != 0, errno == EINTR {}
      var raw: Int32 = 0
      lock.withLock {
        while waitpid(pid, &raw, 0) < 0, errno == EINTR {}
        status = raw & 0x7f == 0 ? raw >> 8 & 0xff : raw & 0x7f
      }
      group.leave()
    }

    func ifRunning(_ body: () -> Void) { lock.withLock { if status == nil { body() } } }

    func wait() -> Int32 {
      group.wait()
      return lock.withLock { status ?? -1 }
    }

    func whenOver(_ body: @escaping @Sendable (Int32) -> Void) {
      group.notify(queue: .global()) { body(self.wait()) }
    }
  }

  /// Starts a program that is found on the path or named by its own. What is nil of its input and outputs leads nowhere,
  /// and it inherits nothing else. When a test runs out of patience, the program is killed.
  public init(
    _ program: String, _ arguments: [String], in directory: URL? = nil, input: FileHandle? = nil,
    output: FileHandle? = nil, errors: FileHandle? = nil
  ) throws {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    // Through high numbers: what is given may stand where another is to be put.
    let given = [input, output, errors]
    let copies = try given.map { handle in try handle.map { try Self.copy($0.fileDescriptor) } }
    defer { for copy in copies { if let copy { close(copy) } } }
    for (number, copy) in copies.enumerated() {
      if let copy {
        posix_spawn_file_actions_adddup2(&actions, copy, Int32(number))
      } else {
        posix_spawn_file_actions_addopen(&actions, Int32(number), "/dev/null", number == 0 ? O_RDONLY : O_WRONLY, 0)
      }
    }
    try Self.closeFrom(3, &actions)
    if let directory { try Self.change(to: directory, &actions) }

    // Threads of the test process block signals and ignore some; the program starts with none of that.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

    let words = ([program] + arguments).map { strdup($0) }
    let environment = ProcessInfo.processInfo.environment.map { strdup("\($0.key)=\($0.value)") }
    defer { for text in words + environment { free(text) } }
    var pid: pid_t = 0
    let failure = posix_spawnp(&pid, program, &actions, &attributes, words + [nil], environment + [nil])
    guard failure == 0 else { throw Failure(message: "\(program): \(String(cString: strerror(failure)))") }
    self.pid = pid
    Thread.detachNewThread { [exit, pid = self.pid] in exit.reap(pid) }
    Patience.current?.watch(self)
  }

  // glibc has both, but hides them from whoever includes it as Swift does.
  private static func closeFrom(_ first: Int32, _ actions: inout posix_spawn_file_actions_t) throws {
    typealias Function = @convention(c) (UnsafeMutableRawPointer, Int32) -> Int32
    let add = try function("posix_spawn_file_actions_addclosefrom_np", as: Function.self)
    _ = add(&actions, first)
  }

  private static func change(to directory: URL, _ actions: inout posix_spawn_file_actions_t) throws {
    typealias Function = @convention(c) (UnsafeMutableRawPointer, UnsafePointer<CChar>) -> Int32
    let add = try function("posix_spawn_file_actions_addchdir_np", as: Function.self)
    _ = directory.path.withCString { add(&actions, $0) }
  }

  private static func function<Function>(_ name: String, as type: Function.Type) throws -> Function {
    guard let symbol = dlsym(nil, name) else { throw Failure(message: "no \(name) in this C library") }
    // SAFETY: the type is the one that <spawn.h> declares.
    return unsafeBitCast(symbol, to: type)
  }

  private static func copy(_ descriptor: Int32) throws -> Int32 {
    let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 10)
    guard copy >= 0 else { throw Failure(message: String(cString: strerror(errno))) }
    return copy
  }

  /// Whether it has not ended.
  public var isRunning: Bool {
    var isRunning = false
    exit.ifRunning { isRunning = true }
    return isRunning
  }

  /// Sends it a signal, unless it has ended.
  public func signal(_ number: Int32) { exit.ifRunning { kill(pid, number) } }

  /// Waits for its end on this thread: the exit status, or the number of the signal that ended it.
  @discardableResult public func wait() -> Int32 { exit.wait() }

  /// Waits for its end: the exit status, or the number of the signal that ended it.
  public func exitStatus() async -> Int32 {
    await withCheckedContinuation { continuation in exit.whenOver { continuation.resume(returning: $0) } }
  }
}
