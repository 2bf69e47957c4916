import Compression
import Testing

/// Short bodies in memory, with and without a dictionary.
@Suite struct FrameCoderTests {
  func bodies(_ count: Int) -> [[UInt8]] {
    (0..<count).map { number in
      Array(
        "span \(number &* 7919 % 1_000_003) GET /api/v1/order/{id} user_agent Go-http-client/1.1 region eu-\(number % 3)"
          .utf8)
    }
  }

  func learn(_ samples: [[UInt8]]) -> FrameDictionary? {
    FrameDictionary(samples: samples.flatMap { $0 }, lengths: samples.map(\.count), contentBytes: 8 << 10, level: 1)
  }

  func inflated(_ frame: [UInt8], _ coder: FrameCoder, _ dictionary: FrameDictionary?) -> [UInt8] {
    let size = coder.bodyBytes(of: frame.span.bytes)
    return [UInt8](capacity: size) { coder.inflate(frame.span.bytes, with: dictionary, to: &$0) }
  }

  @Test func comeBackAsTheyWere() throws {
    let coder = FrameCoder()
    let dictionary = try #require(learn(bodies(300)))
    var with = 0
    var without = 0
    for body in bodies(400) + [[], [0], [UInt8](repeating: 7, count: 1 << 20)] {
      for (own, isPlain) in [(nil, true), (dictionary, false)] as [(FrameDictionary?, Bool)] {
        var frame: [UInt8] = []
        coder.compress(body.span.bytes, with: own, to: &frame)
        if isPlain { without += frame.count } else { with += frame.count }
        #expect(inflated(frame, coder, own) == body)
      }
    }
    #expect(with * 2 < without)
  }

  @Test func aFinishedDictionaryInflates() throws {
    let coder = FrameCoder()
    let dictionary = try #require(learn(bodies(300)))
    let body = bodies(1)[0]
    var frame: [UInt8] = []
    coder.compress(body.span.bytes, with: dictionary, to: &frame)
    let before = dictionary.byteCount
    dictionary.finishCompressing()
    #expect(dictionary.byteCount < before)
    #expect(inflated(frame, coder, dictionary) == body)
  }

  @Test func tooLittleMakesNoDictionary() {
    #expect(learn([]) == nil)
    #expect(learn([[UInt8](repeating: 1, count: FrameDictionary.sampleBytesMin - 1)]) == nil)
    #expect(learn([[UInt8](repeating: 1, count: FrameDictionary.sampleBytesMin)]) != nil, "uniform as it is")
  }
}
