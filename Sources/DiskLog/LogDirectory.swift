internal import Glibc
internal import Synchronization

/// The directory of a log: made where it is missing, and held with a lock as long as this object lives.
///
/// The lock is `flock` on a file of its own, so that it ends with the process, however that ends, and is not moved away
/// with a damaged file.
final class LogDirectory: Sendable {
  let path: String
  let name: String
  private let lock: Mutex<Int32?>

  /// The SQLite file.
  var file: String { "\(path)/\(name).sqlite" }
  /// A file that is being built and takes the place of the SQLite file when it is complete.
  var draft: String { "\(path)/\(name).sqlite.new" }

  init(path: String, name: String) throws(DiskLogFault) {
    guard !path.isEmpty, !name.isEmpty, !name.contains("/") else {
      throw .broken("a log needs a directory and a name, not '\(path)' and '\(name)'")
    }
    self.path = path
    self.name = name
    try Self.make(path)
    let lockPath = "\(path)/\(name).lock"
    let descriptor = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Self.fault("cannot open '\(lockPath)'", errno) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let code = errno
      Glibc.close(descriptor)
      throw .broken(
        code == EWOULDBLOCK
          ? "'\(path)' is in use: another process holds '\(lockPath)'"
          : "cannot lock '\(lockPath)': \(Self.reason(code))")
    }
    lock = Mutex(descriptor)
  }

  deinit { release() }

  /// Lets others open it.
  func release() {
    lock.withLock {
      if let descriptor = $0 { Glibc.close(descriptor) }
      $0 = nil
    }
  }

  /// Makes a directory and those above it.
  private static func make(_ path: String) throws(DiskLogFault) {
    var status = stat()
    if stat(path, &status) == 0 {
      guard status.st_mode & S_IFMT == S_IFDIR else { throw .broken("'\(path)' is not a directory") }
      return
    }
    var parent = "."
    if let slash = path.lastIndex(of: "/") {
      parent = slash == path.startIndex ? "/" : String(path[..<slash])
      if slash > path.startIndex { try make(parent) }
    }
    guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
      throw fault("cannot make the directory '\(path)'", errno)
    }
    // A parent that may be passed through but not read is no obstacle.
    try? synchronize(parent)
  }

  func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// A file's length; 0 where there is none.
  func length(_ path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : 0
  }

  /// Makes an empty file that nobody else may read; SQLite gives its WAL the same mode.
  func create(_ path: String) throws(DiskLogFault) {
    let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Self.fault("cannot make '\(path)'", errno) }
    Glibc.close(descriptor)
  }

  /// Removes a file and what SQLite put beside it.
  func remove(_ path: String) throws(DiskLogFault) {
    for suffix in ["", "-wal", "-shm", "-journal"] where unlink(path + suffix) != 0 && errno != ENOENT {
      throw Self.fault("cannot remove '\(path + suffix)'", errno)
    }
  }

  /// Puts the draft in the file's place. What is there keeps its bytes under another name, which is returned.
  func replaceFile() throws(DiskLogFault) -> String? {
    var aside: String?
    if exists(file) || exists(file + "-wal") {
      var number = 1
      while ["", "-wal", "-shm"].contains(where: { exists("\(file).damaged-\(number)\($0)") }) { number += 1 }
      let target = "\(file).damaged-\(number)"
      for suffix in ["-wal", "-shm", ""] where exists(file + suffix) { try move(file + suffix, to: target + suffix) }
      aside = target
    }
    try move(draft, to: file)
    try Self.synchronize(path)
    return aside
  }

  private func move(_ source: String, to target: String) throws(DiskLogFault) {
    guard rename(source, target) == 0 else { throw Self.fault("cannot rename '\(source)' to '\(target)'", errno) }
  }

  /// Makes what was made or renamed in a directory last.
  private static func synchronize(_ path: String) throws(DiskLogFault) {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw fault("cannot open '\(path)'", errno) }
    defer { Glibc.close(descriptor) }
    guard fsync(descriptor) == 0 else { throw fault("cannot synchronize '\(path)'", errno) }
  }

  private static func fault(_ what: String, _ code: Int32) -> DiskLogFault {
    code == ENOSPC || code == EDQUOT ? .full : .broken("\(what): \(reason(code))")
  }

  private static func reason(_ code: Int32) -> String { String(cString: strerror(code)) }
}
