internal import HTTP2Engine
internal import Tenancy

/// What a request's head says of its tenant.
enum TenantAdmission {
  /// It may go on, as this tenant's or nobody's.
  case admitted(Tenant?)
  /// Nothing of it is taken in, whatever it holds.
  case refused(IntakeVerdict)
}

extension Tenants {
  /// Looks for the tenant's header among a request's fields. A tenant that has sent too much is turned away before
  /// anything is read of it.
  func admission(of fields: HeaderFields) -> TenantAdmission {
    let (value, count) = fields.values(of: headerBytes)
    let invalid = TenantAdmission.refused(.invalid("\(header) is not one tenant's name"))
    guard count <= 1 else { return invalid }
    switch find(value) {
    case .missing: return .refused(.unauthenticated("no tenant: \(header) is missing"))
    case .invalid: return invalid
    case .tooMany: return .refused(.forbidden("there are as many tenants as may be (tenants.max)"))
    case .tenant(let tenant):
      guard let refusal = tenant?.refusal() else { return .admitted(tenant) }
      return .refused(.limited(retryAfter: refusal.retryAfter))
    }
  }
}
