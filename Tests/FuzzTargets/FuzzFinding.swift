/// What should not have happened.
public struct FuzzFinding: Error, CustomStringConvertible {
  public let description: String

  init(_ description: String) { self.description = description }
}

/// Throws a finding where something that must hold does not.
func check(_ holds: Bool, _ what: @autoclosure () -> String) throws(FuzzFinding) {
  if !holds { throw FuzzFinding(what()) }
}

/// The value of what must not throw.
func succeeds<Value>(_ what: String, _ body: () throws -> Value) throws(FuzzFinding) -> Value {
  do { return try body() } catch { throw FuzzFinding("\(what): \(error)") }
}
