// What the commands' options are made of.

public import ArgumentParser
public import FaultProxy

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
