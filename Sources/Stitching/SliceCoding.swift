internal import Compression

/// How slices are compressed while they wait: each by itself with what all have in common in a dictionary, so that a
/// trace is inflated without its neighbours. Dictionaries are made of samples of the traffic: early, then better
/// twice, and whenever slices have become a tenth larger than they were.
struct SliceCoding {
  /// What a slice was made with: kept beside it.
  typealias Coding = UInt8

  private static let level = 1
  private static let contentBytes = 96 << 10
  private static let samplesMax = 192 << 10
  private static let sampleBytesMax = 8 << 10
  /// Raw bytes that make the first dictionary.
  private static let firstSamples = 48 << 10
  /// Once there is a dictionary, one slice in so many is a sample.
  private static let sampleStride = 17
  /// Raw bytes between two looks at the dictionary, at first and at most.
  private static let firstReview = 1 << 20
  private static let lastReview = 64 << 20
  private static let generationsMax = 8

  private static let raw: Coding = 0
  private static let plain: Coding = 1
  private static let firstGeneration = 2

  private struct Generation {
    var dictionary: FrameDictionary
    /// Slices that need it.
    var slices = 0
  }

  private var coder: FrameCoder?
  /// At most `generationsMax`, each as long as a slice needs it.
  private var generations: [Generation?] = []
  private var current: Int?
  private var samples: [UInt8] = []
  private var lengths: [Int] = []
  private var untilSample = 0
  /// Since the last look.
  private var rawBytes = 0
  private var packedBytes = 0
  private var reviewBytes = firstReview
  private var reviews = 0
  private var bestRatio = 1.0
  private var dictionaryBytes = 0

  init() {}

  /// Bytes besides the slices.
  var byteCount: Int {
    (coder?.byteCount ?? 0) &+ dictionaryBytes &+ samples.capacity &+ lengths.capacity &* 8
  }

  /// Appends a slice as it is kept.
  mutating func pack(_ slice: RawSpan, to output: inout [UInt8]) -> Coding {
    let own = coder ?? FrameCoder(level: Self.level)
    coder = own
    let before = output.count
    own.compress(slice, with: current.flatMap { generations[$0]?.dictionary }, to: &output)
    var coding = current.map { Coding(truncatingIfNeeded: $0 &+ Self.firstGeneration) } ?? Self.plain
    if output.count &- before >= slice.byteCount {
      output.removeLast(output.count &- before)
      slice.withUnsafeBytes { output.append(contentsOf: $0) }
      coding = Self.raw
    }
    if let generation = Self.generation(coding) { generations[generation]?.slices &+= 1 }
    rawBytes &+= slice.byteCount
    packedBytes &+= output.count &- before
    sample(slice)
    if current == nil {
      if samples.count >= Self.firstSamples { renew() }
    } else if rawBytes >= reviewBytes {
      review()
    }
    return coding
  }

  /// How long a slice was before it was packed.
  func rawBytes(_ packed: RawSpan, _ coding: Coding) -> Int {
    coding == Self.raw ? packed.byteCount : coder?.bodyBytes(of: packed) ?? 0
  }

  /// Appends a slice as it was, to an output that has room.
  func unpack(_ packed: RawSpan, _ coding: Coding, to output: inout OutputSpan<UInt8>) {
    guard coding != Self.raw else {
      for offset in packed.byteOffsets { output.append(packed.unsafeLoad(fromByteOffset: offset, as: UInt8.self)) }
      return
    }
    coder?.inflate(packed, with: Self.generation(coding).flatMap { generations[$0]?.dictionary }, to: &output)
  }

  /// Notes that a slice is gone.
  mutating func release(_ coding: Coding) {
    guard let generation = Self.generation(coding) else { return }
    generations[generation]?.slices &-= 1
    if generation != current { drop(generation) }
  }

  private static func generation(_ coding: Coding) -> Int? {
    coding >= firstGeneration ? Int(coding) &- firstGeneration : nil
  }

  /// Keeps some of what comes as samples, the older half of which goes when there are many.
  private mutating func sample(_ slice: RawSpan) {
    untilSample &-= 1
    guard untilSample < 0 else { return }
    untilSample = current == nil ? 0 : Self.sampleStride
    if samples.count > Self.samplesMax {
      let half = lengths.count / 2
      samples.removeFirst(lengths[..<half].reduce(0, &+))
      lengths.removeFirst(half)
    }
    let count = min(slice.byteCount, Self.sampleBytesMax)
    slice.extracting(first: count).withUnsafeBytes { samples.append(contentsOf: $0) }
    lengths.append(count)
  }

  private mutating func review() {
    let ratio = Double(packedBytes) / Double(max(1, rawBytes))
    reviews &+= 1
    bestRatio = min(bestRatio, ratio)
    reviewBytes = min(reviewBytes &* 4, Self.lastReview)
    (rawBytes, packedBytes) = (0, 0)
    if reviews <= 2 || ratio > bestRatio * 1.1 { renew() }
  }

  /// Makes a dictionary of the samples and goes on with it; with the old one where there are too many.
  private mutating func renew() {
    let place = generations.firstIndex { $0 == nil } ?? generations.count
    guard place < Self.generationsMax,
      let dictionary = FrameDictionary(
        samples: samples, lengths: lengths, contentBytes: Self.contentBytes, level: Self.level)
    else { return }
    if place == generations.count { generations.append(nil) }
    generations[place] = Generation(dictionary: dictionary)
    dictionaryBytes &+= dictionary.byteCount
    bestRatio = 1
    let last = current
    current = place
    guard let last, let old = generations[last] else { return }
    dictionaryBytes &-= old.dictionary.byteCount
    old.dictionary.finishCompressing()
    dictionaryBytes &+= old.dictionary.byteCount
    drop(last)
  }

  /// Forgets a dictionary that no slice needs.
  private mutating func drop(_ generation: Int) {
    guard let old = generations[generation], old.slices == 0 else { return }
    dictionaryBytes &-= old.dictionary.byteCount
    generations[generation] = nil
  }
}
