import Foundation
import TLSEngine

/// A connection over the loopback interface to other people's TLS.
struct Loopback: ~Copyable {
  struct Failure: Error { var call: String }

  private let descriptor: Int32
  /// The port of a listener.
  let port: UInt16

  /// Nothing here takes longer unless it hangs.
  private static let patience = timeval(tv_sec: 20, tv_usec: 0)

  private init() throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    port = 0
    guard descriptor >= 0 else { throw Failure(call: "socket") }
    setPatience()
  }

  private init(_ descriptor: Int32, port: UInt16 = 0) {
    self.descriptor = descriptor
    self.port = port
    setPatience()
  }

  deinit { close(descriptor) }

  private func setPatience() {
    var patience = Self.patience
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
      setsockopt(descriptor, SOL_SOCKET, option, &patience, socklen_t(MemoryLayout<timeval>.size))
    }
  }

  private static func withAddress<Result>(
    port: UInt16, _ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Result
  ) -> Result {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var count = socklen_t(MemoryLayout<sockaddr_in>.size)
    return withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, &count) }
    }
  }

  static func listening() throws -> Loopback {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw Failure(call: "socket") }
    let port: UInt16? = withAddress(port: 0) { address, count in
      guard bind(descriptor, address, count.pointee) == 0, listen(descriptor, 8) == 0,
        getsockname(descriptor, address, count) == 0
      else { return nil }
      return address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { UInt16(bigEndian: $0.pointee.sin_port) }
    }
    guard let port else { throw Failure(call: "listen") }
    return Loopback(descriptor, port: port)
  }

  static func connected(to port: UInt16) throws -> Loopback {
    let connection = try Loopback()
    guard withAddress(port: port, { connect(connection.descriptor, $0, $1.pointee) }) == 0 else {
      throw Failure(call: "connect")
    }
    return connection
  }

  func accepted() throws -> Loopback {
    let connection = accept(descriptor, nil, nil)
    guard connection >= 0 else { throw Failure(call: "accept") }
    return Loopback(connection)
  }

  /// Runs `end` over this connection until the peer hangs up, the session fails or `isDone`.
  func run(_ end: End, until isDone: (End) throws -> Bool = { $0.session.isPeerClosed }) throws {
    end.start()
    var buffer = [UInt8](repeating: 0, count: 32 << 10)
    while true {
      let isOver = try end.fault != nil || isDone(end)
      write(end.takeOutput())
      if isOver { break }
      let count = recv(descriptor, &buffer, buffer.count, 0)
      if count == 0 { break }
      guard count > 0 else { throw Failure(call: "recv") }
      end.receive(buffer[..<count])
    }
    end.session.close()
    write(end.takeOutput())
    shutdown(descriptor, Int32(SHUT_WR))
    while recv(descriptor, &buffer, buffer.count, 0) > 0 {}
  }

  private func write(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
      // A peer that has gone is for `recv` to notice.
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }
}
