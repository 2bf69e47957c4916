public import NIOCore

/// One value for each event loop of a group, reached only from its own loop. What it holds need not be `Sendable`.
public struct PerLoop<Value>: Sendable {
  private let cells: [NIOLoopBound<Value>]
  private let loops: [any EventLoop]

  /// Makes a value on each of the loops and waits for all of them. `make` is given the loop and its number.
  public init(on loops: [any EventLoop], _ make: @escaping @Sendable (any EventLoop, Int) throws -> Value) async throws
  {
    var cells: [NIOLoopBound<Value>] = []
    for (number, loop) in loops.enumerated() {
      cells.append(try await loop.submit { NIOLoopBound(try make(loop, number), eventLoop: loop) }.get())
    }
    self.cells = cells
    self.loops = loops
  }

  /// The value of the loop that this is called on.
  public func value(on loop: any EventLoop) -> Value {
    for (index, candidate) in loops.enumerated() where candidate === loop { return cells[index].value }
    preconditionFailure("the loop belongs to another group")
  }

  /// Runs `body` on every loop with its value, all at once, and collects what it returns in the loops' order.
  public func map<Result: Sendable>(_ body: @escaping @Sendable (Value) -> Result) async -> [Result] {
    let futures = zip(cells, loops).map { cell, loop in loop.submit { body(cell.value) } }
    var results: [Result] = []
    for future in futures {
      if let result = try? await future.get() { results.append(result) }
    }
    return results
  }

  /// Runs `body` on the loop with this number, without waiting.
  public func execute(on number: Int, _ body: @escaping @Sendable (Value) -> Void) {
    let cell = cells[number]
    loops[number].execute { body(cell.value) }
  }

  /// The number of loops.
  public var count: Int { loops.count }
}
