/// Why a role could not start: it cannot bind or open what it needs.
struct StartFailure: Error, CustomStringConvertible {
  var message: String
  var description: String { message }
}
