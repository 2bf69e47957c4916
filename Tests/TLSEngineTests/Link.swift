import TLSEngine

/// One end of a link: a session, what it decrypted and why it failed.
final class End {
  let session: TLSSession
  var received: [UInt8] = []
  var fault: TLSFault?
  /// All cipher bytes it made so far.
  var sent: [UInt8] = []
  private let scratch: UnsafeMutableRawBufferPointer

  init(_ context: TLSContext, scratchByteCount: Int = 64 << 10) {
    session = TLSSession(context)
    scratch = .allocate(byteCount: scratchByteCount, alignment: 16)
  }

  deinit { scratch.deallocate() }

  func start() {
    do { try session.start() } catch { fault = error }
  }

  func receive(_ bytes: some Sequence<UInt8>) {
    let bytes = Array(bytes)
    do throws(TLSFault) {
      try bytes.span.bytes.withUnsafeBytes { cipher throws(TLSFault) in
        try session.receive(cipher, scratch: scratch) { received.append(contentsOf: $0) }
      }
    } catch {
      fault = error
    }
  }

  func send(_ bytes: [UInt8]) throws(TLSFault) {
    try bytes.span.bytes.withUnsafeBytes { plain throws(TLSFault) in try session.send(plain) }
  }

  func takeOutput() -> [UInt8] {
    var output: [UInt8] = []
    session.takeOutput { output.append(contentsOf: $0) }
    sent += output
    return output
  }
}

/// A client and a server that hear each other without a network.
final class Link {
  let client: End
  let server: End

  init(client: TLSContext, server: TLSContext, scratchByteCount: Int = 64 << 10) {
    self.client = End(client, scratchByteCount: scratchByteCount)
    self.server = End(server, scratchByteCount: scratchByteCount)
  }

  /// Carries bytes both ways in pieces of `pieceSize()` until both are silent.
  func pump(pieceSize: () -> Int = { Int.max }) {
    while true {
      let up = client.takeOutput()
      carry(up, to: server, pieceSize)
      let down = server.takeOutput()
      carry(down, to: client, pieceSize)
      if up.isEmpty, down.isEmpty { return }
    }
  }

  private func carry(_ bytes: [UInt8], to end: End, _ pieceSize: () -> Int) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let piece = rest.prefix(pieceSize())
      rest = rest.dropFirst(piece.count)
      end.receive(piece)
    }
  }

  /// Starts the client and carries bytes until both are silent.
  @discardableResult
  func shakeHands(pieceSize: () -> Int = { Int.max }) -> Link {
    client.start()
    pump(pieceSize: pieceSize)
    return self
  }
}

/// SplitMix64: seeded randomness for tests.
struct SeededRandom: RandomNumberGenerator {
  var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
  }
}
