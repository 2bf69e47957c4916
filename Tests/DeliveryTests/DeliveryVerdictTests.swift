import Delivery
import Testing

@Suite struct DeliveryVerdictTests {
  @Test(arguments: -1...20) func grpcCodes(status: Int) {
    let plain = DeliveryAnswer.grpc(status: status).verdict
    let delayed = DeliveryAnswer.grpc(status: status, retryDelay: .seconds(3)).verdict
    switch status {
    case 0:
      #expect(plain == .delivered(rejected: 0))
      #expect(delayed == .delivered(rejected: 0))
    case 1, 4, 10, 11, 14, 15:
      #expect(plain == .retry(after: nil))
      #expect(delayed == .retry(after: .seconds(3)))
    case 8:
      #expect(plain == .permanentFailure(code: 8))
      #expect(delayed == .retry(after: .seconds(3)))
      #expect(DeliveryAnswer.grpc(status: 8, retryDelay: .seconds(-3)).verdict == .retry(after: .zero))
    default:
      let code = (1...16).contains(status) ? status : 2
      #expect(plain == .permanentFailure(code: code))
      #expect(delayed == .permanentFailure(code: code))
      #expect(DeliveryAnswer.grpc(status: status).code == code)
    }
  }

  @Test func partialSuccess() {
    #expect(DeliveryAnswer.grpc(status: 0, rejectedSpans: 3).verdict == .delivered(rejected: 3))
    #expect(DeliveryAnswer.grpc(status: 0, rejectedSpans: -3).verdict == .delivered(rejected: 0))
    #expect(DeliveryAnswer.http(status: 200, rejectedSpans: 3).verdict == .delivered(rejected: 3))
  }

  @Test(arguments: [
    (400, 13, false), (401, 16, false), (403, 7, false), (404, 12, false), (413, 2, false), (429, 14, true),
    (500, 2, false), (502, 14, true), (503, 14, true), (504, 14, true), (302, 2, false), (0, 2, false),
  ])
  func httpStatuses(status: Int, code: Int, retried: Bool) {
    let expected: DeliveryVerdict = retried ? .retry(after: nil) : .permanentFailure(code: code)
    #expect(DeliveryAnswer.grpcOverHTTP(status: status).verdict == expected)
    #expect(DeliveryAnswer.http(status: status).verdict == expected)
    #expect(DeliveryAnswer.http(status: status).code == code)
    if retried {
      #expect(DeliveryAnswer.http(status: status, retryAfter: .seconds(9)).verdict == .retry(after: .seconds(9)))
    }
  }

  @Test func failuresAreNeverPermanent() {
    #expect(DeliveryAnswer.failed(.connection).verdict == .lost)
    #expect(DeliveryAnswer.failed(.unprocessed).verdict == .lost)
    #expect(DeliveryAnswer.failed(.stream).verdict == .retry(after: nil))
    #expect(DeliveryAnswer.failed(.timeout).verdict == .retry(after: nil))
    #expect(DeliveryAnswer.failed(.timeout).code == 4)
    #expect(DeliveryAnswer.failed(.connection).code == 14)
  }
}
