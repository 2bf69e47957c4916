import FuzzTargets
import Testing

/// Inputs that once were news to libFuzzer, and what a seed makes of them.
@Suite struct CorpusTests {
  @Test(arguments: FuzzTarget.allCases)
  func bearsItsCorpus(_ target: FuzzTarget) throws {
    let corpus = try Corpus(of: target)
    #expect(corpus.files.count > 5)
    for file in corpus.files {
      do { try target.run(file.bytes) } catch { Issue.record("\(target.rawValue)/\(file.name): \(error)") }
    }
  }

  /// A seed makes one input; a failure says which.
  @Test(arguments: FuzzTarget.allCases)
  func bearsMutations(_ target: FuzzTarget) throws {
    let corpus = try Corpus(of: target).files.map(\.bytes)
    for seed in UInt64(0)..<400 {
      var mutator = Mutator(corpus: corpus, seed: seed)
      let bytes = mutator.next()
      do { try target.run(bytes) } catch { Issue.record("\(target.rawValue), seed \(seed): \(error)\n\(bytes)") }
    }
  }
}
