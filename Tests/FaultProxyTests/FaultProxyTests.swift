import FaultProxy
import NIOCore
import Testing

/// The proxy between sockets of this machine. Nothing here asks how long anything took.
@Suite(.timeLimit(.minutes(2))) struct FaultProxyTests {
  /// A client, a server and the proxy between them.
  struct Line {
    let server: WireServer
    let proxy: FaultProxy

    init(_ conditions: LinkConditions = LinkConditions()) async throws {
      server = try await WireServer()
      proxy = try await FaultProxy.start(to: SocketEndpoint(host: "127.0.0.1", port: server.port), conditions)
    }

    func connect() async throws -> (client: Wire, server: Wire) {
      (try await Wire.connect(to: proxy.address.port), try await server.next())
    }

    /// Waits until the proxy's counts meet a condition.
    func counts(until condition: (ProxyCounts) -> Bool) async throws -> ProxyCounts {
      var counts = try await proxy.counts
      while !condition(counts) {
        await Task.yield()
        counts = try await proxy.counts
      }
      return counts
    }

    func stop() async throws {
      try await proxy.stop()
      await server.stop()
      _ = try await counts { $0.open == 0 }
    }
  }

  @Test func carriesBothWaysAndEndsAsTheEndsDo() async throws {
    let line = try await Line()
    let (client, server) = try await line.connect()
    await client.send("question")
    await client.end()
    #expect(await server.receiveToTheEnd() == ("question", true))
    await server.send("answer")
    await server.close()
    // A socket that has ended itself is closed by its peer's end, which is then no event of its own.
    #expect(await client.receive() == ("answer", false, true))
    let counts = try await line.counts { $0.open == 0 }
    #expect(counts.passedBytes == [.toServer: 8, .toClient: 6])
    #expect(counts.accepted == 1)
    try await line.stop()
  }

  @Test func carriesMuchMoreThanItHolds() async throws {
    let line = try await Line()
    let (client, server) = try await line.connect()
    let chunk = ByteBuffer(repeating: UInt8(ascii: "x"), count: 1 << 20)
    async let isSent: Void = {
      for _ in 0..<16 { await client.send(chunk) }
      await client.end()
    }()
    let received = await server.receiveToTheEnd()
    await isSent
    #expect(received.text.utf8.count == 16 << 20)
    #expect(received.ended)
    try await line.stop()
  }

  @Test func aLongNarrowLinkKeepsTheOrder() async throws {
    let line = try await Line(LinkConditions(delay: .milliseconds(3), bytesPerSecond: 4 << 20))
    let (client, server) = try await line.connect()
    var expected = ""
    for number in 0..<200 {
      let part = "\(number) " + String(repeating: "y", count: number * 5) + "\n"
      expected += part
      await client.send(part)
      if number == 100 { try await line.proxy.set(LinkConditions(delay: .milliseconds(1))) }
    }
    await client.end()
    #expect(await server.receiveToTheEnd() == (expected, true))
    try await line.stop()
  }

  @Test func anAnswerThatTravelsOutlivesItsSender() async throws {
    let line = try await Line(LinkConditions(delay: .milliseconds(20)))
    let (client, server) = try await line.connect()
    await client.send("question")
    await client.end()
    #expect(await server.receiveToTheEnd() == ("question", true))
    await server.send("answer")
    await server.close()
    #expect(await client.receive() == ("answer", false, true))
    try await line.stop()
  }

  @Test func resetsWhatIsOpenAndWhatComes() async throws {
    let line = try await Line()
    let (client, server) = try await line.connect()
    try await line.proxy.set(.reset)
    #expect(await client.receive() == ("", false, true))
    #expect(await server.receive() == ("", false, true))
    // Accepted and then reset; a system may also say that it could not connect.
    if let next = try? await Wire.connect(to: line.proxy.address.port) { #expect(await next.receive().closed) }
    _ = try await line.counts { $0.open == 0 && $0.accepted == 2 }
    try await line.proxy.set(.none)
    let (again, accepted) = try await line.connect()
    await again.send("back")
    #expect(await accepted.receive(4).text == "back")
    try await line.stop()
  }

  @Test func aBlackHoleTakesTimeOnly() async throws {
    let line = try await Line()
    let (client, server) = try await line.connect()
    await client.send("before ")
    #expect(await server.receive(7).text == "before ")
    try await line.proxy.set(.blackHole)
    await client.send("during")
    await client.end()
    await server.send("answer")
    // Made in the black hole: accepted by the system, connected to nobody.
    let late = try await Wire.connect(to: line.proxy.address.port)
    await late.send("late")
    let counts = try await line.counts { $0.accepted == 2 }
    #expect(counts.passedBytes == [.toServer: 7, .toClient: 0])
    try await line.proxy.set(.none)
    #expect(await server.receiveToTheEnd() == ("during", true))
    #expect(await client.receive(6).text == "answer")
    #expect(await (try await line.server.next()).receive(4).text == "late")
    try await line.stop()
  }

  @Test func oneThatBreaksInABlackHoleIsHeardOfLater() async throws {
    let line = try await Line()
    let (client, server) = try await line.connect()
    await client.send("a")
    #expect(await server.receive(1).text == "a")
    try await line.proxy.set(.blackHole)
    await client.close()
    #expect(try await line.proxy.counts.open == 1)
    try await line.proxy.set(.none)
    #expect(await server.receiveToTheEnd().ended)
    try await line.stop()
  }

  @Test func halfOpenConnectionsStayDeadAndNewOnesLive() async throws {
    let line = try await Line()
    let (client, _) = try await line.connect()
    try await line.proxy.set(Fault("half-open") ?? .none)
    await client.send("lost")
    _ = try await line.counts { $0.swallowedBytes[.toServer] == 4 }
    // Made while nobody is there: accepted, read and led nowhere.
    let nowhere = try await Wire.connect(to: line.proxy.address.port)
    await nowhere.send("lost too")
    _ = try await line.counts { $0.swallowedBytes[.toServer] == 12 }
    try await line.proxy.set(.none)
    await client.send("still lost")
    let counts = try await line.counts { $0.swallowedBytes[.toServer] == 22 }
    #expect(counts.passedBytes == [.toServer: 0, .toClient: 0])
    let (again, accepted) = try await line.connect()
    await again.send("alive")
    #expect(await accepted.receive(5).text == "alive")
    // The end of one half is never heard of by the other.
    await client.close()
    let after = try await line.counts { $0.open == 3 }
    #expect(after.accepted == 3)
    try await line.stop()
  }

  @Test(arguments: Direction.allCases) func oneDirectionAlone(_ dead: Direction) async throws {
    let line = try await Line()
    let (client, server) = try await line.connect()
    try await line.proxy.set(.halfOpen([dead]))
    let (deaf, sender) = dead == .toServer ? (server, client) : (client, server)
    await sender.send("lost")
    _ = try await line.counts { $0.swallowedBytes[dead] == 4 }
    await deaf.send("heard")
    #expect(await sender.receive(5).text == "heard")
    try await line.stop()
  }

  @Test func closesAfterSoManyBytes() async throws {
    let line = try await Line(LinkConditions(fault: .closeAfter(bytes: 10)))
    let (client, server) = try await line.connect()
    await client.send("0123456789abc")
    #expect(await server.receiveToTheEnd() == ("0123456789", true))
    #expect(await client.receiveToTheEnd() == ("", true))
    #expect(try await line.proxy.counts.passedBytes[.toServer] == 10)
    try await line.stop()
  }

  @Test func aServerThatIsNotThereResetsTheClient() async throws {
    let line = try await Line()
    await line.server.stop()
    // A reset that comes soon enough is told as a connection that could not be made.
    if let client = try? await Wire.connect(to: line.proxy.address.port) { #expect(await client.receive().closed) }
    _ = try await line.counts { $0.accepted == 1 && $0.open == 0 }
    try await line.proxy.stop()
  }

  @Test func obeysLines() async throws {
    let line = try await Line()
    #expect(try await line.proxy.obey("nonsense").hasPrefix("error: "))
    let answer = try await line.proxy.obey("delay 2ms")
    #expect(answer == "ok delay=2000us bandwidth=none fault=none accepted=0 open=0 to-server=0/0/0 to-client=0/0/0")
    #expect(try await line.proxy.obey("bandwidth 1MiB").contains("bandwidth=1048576 "))
    #expect(try await line.proxy.obey("fault half-open:to-client").contains("fault=half-open:to-client "))
    #expect(try await line.proxy.obey("heal").hasPrefix("ok delay=2000us bandwidth=1048576 fault=none "))
    try await line.stop()
  }
}
