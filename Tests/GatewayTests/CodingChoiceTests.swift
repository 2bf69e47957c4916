import Compression
import Delivery
import Testing

@testable import Gateway

@Suite struct CodingChoiceTests {
  /// What the choice says of each answer, one after the other.
  private func judge(_ choice: inout CodingChoice, _ answers: [(DeliveryAnswer, ContentCoding)]) -> [Bool] {
    answers.map { choice.isToBlame(for: $0.0, to: $0.1) }
  }

  @Test func stepsDownWhileNothingWasTaken() {
    var choice = CodingChoice(.zstd)
    // The second was sent with zstd before the first answer came.
    #expect(judge(&choice, [(.grpc(status: 12), .zstd), (.grpc(status: 13), .zstd)]) == [true, true])
    #expect(choice.current == .gzip)
    #expect(judge(&choice, [(.grpc(status: 13), .gzip)]) == [true])
    #expect(choice.current == .identity)
    #expect(judge(&choice, [(.grpc(status: 13), .identity)]) == [false], "nothing is left to blame")
  }

  @Test func aCodingThatWasTakenIsNotToBlame() {
    var choice = CodingChoice(.zstd)
    #expect(judge(&choice, [(.grpc(status: 0), .zstd), (.grpc(status: 13), .zstd)]) == [false, false])
    #expect(choice.current == .zstd)
    choice.connected()
    #expect(judge(&choice, [(.grpc(status: 13), .zstd)]) == [true], "somebody else may answer now")
  }

  @Test func overHTTPItIs415() {
    var choice = CodingChoice(.zstd)
    #expect(judge(&choice, [(.http(status: 400), .zstd), (.http(status: 415), .zstd)]) == [false, true])
    #expect(choice.current == .gzip)
    #expect(judge(&choice, [(.http(status: 202), .gzip), (.http(status: 415), .gzip)]) == [false, false])
  }

  @Test func otherAnswersSayNothingOfTheCoding() {
    var choice = CodingChoice(.gzip)
    let answers = [3, 7, 8, 14].map { (DeliveryAnswer.grpc(status: $0), ContentCoding.gzip) }
    #expect(judge(&choice, answers + [(.failed(.connection), .gzip)]) == [false, false, false, false, false])
    #expect(choice.current == .gzip)
  }
}
