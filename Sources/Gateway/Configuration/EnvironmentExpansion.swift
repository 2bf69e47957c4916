/// Puts the environment's values in the place of `${env:NAME}`, `${env:NAME:-default}` and (as in the Collector) `${NAME}`.
/// `$$` is a dollar sign. The default stands in where the variable is not set; one that is set and empty is empty.
struct EnvironmentExpansion {
  struct Fault: Error {
    var message: String
  }

  let environment: (String) -> String?

  func expand(_ scalar: ConfigurationScalar) -> Result<ConfigurationScalar, Fault> {
    guard scalar.text.contains("$") else { return .success(scalar) }
    var result = scalar
    result.text = ""
    var rest = scalar.text[...]
    while let dollar = rest.firstIndex(of: "$") {
      result.text += rest[..<dollar]
      rest = rest[rest.index(after: dollar)...]
      if rest.first == "$" {
        result.text += "$"
        rest = rest.dropFirst()
      } else if rest.first == "{" {
        guard let end = rest.firstIndex(of: "}") else {
          return .failure(Fault(message: "`${` without `}`; a dollar sign itself is written `$$`"))
        }
        switch value(rest[rest.index(after: rest.startIndex)..<end]) {
        case .success(let value): result.text += value
        case .failure(let fault): return .failure(fault)
        }
        result.isExpanded = true
        rest = rest[rest.index(after: end)...]
      } else {
        result.text += "$"
      }
    }
    result.text += rest
    return .success(result)
  }

  private func value(_ reference: Substring) -> Result<String, Fault> {
    var name = reference
    var fallback: String?
    if name.hasPrefix("env:") {
      name = name.dropFirst(4)
    } else if let colon = name.firstIndex(of: ":"), !name[colon...].hasPrefix(":-") {
      return .failure(
        Fault(message: "unknown provider `\(name[..<colon])`, allowed: ${env:NAME}, ${env:NAME:-default}"))
    }
    if let marker = name.firstRange(of: ":-") {
      fallback = String(name[marker.upperBound...])
      name = name[..<marker.lowerBound]
    }
    let isName =
      name.utf8.first.map { !(0x30...0x39).contains($0) } == true
      && name.utf8.allSatisfy { byte in
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F
      }
    guard isName else {
      return .failure(
        Fault(message: "`${\(reference)}` names no variable, allowed: ${env:NAME}, ${env:NAME:-default}"))
    }
    if fallback?.contains("${") == true {
      return .failure(Fault(message: "the default of \(name) holds another `${`; references do not nest"))
    }
    guard let value = environment(String(name)) ?? fallback else {
      return .failure(
        Fault(message: "the environment variable \(name) is not set; `${env:\(name):-default}` gives it a default"))
    }
    return .success(value)
  }
}
