// What the commands' options are made of.

public import ArgumentParser
public import Compression
public import FaultProxy
public import Load

extension SocketEndpoint: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

extension Latency: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
  public var defaultValueDescription: String { "\(nanoseconds / 1000)us" }
}

extension ByteCount: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

extension Fault: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

extension LoadProtocol: ExpressibleByArgument {}

extension TrafficLayout: ExpressibleByArgument {}

extension ContentCoding: ExpressibleByArgument {
  public init?(argument: String) { self.init(token: argument.utf8) }
  public var defaultValueDescription: String { token }
}
