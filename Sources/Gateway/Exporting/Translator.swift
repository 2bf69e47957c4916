internal import Compression
internal import Delivery
internal import NIOCore

/// Makes messages of batches on another thread: to write a batch in another format takes as long as thousands of spans
/// take to pass.
struct Translator {
  /// The lane's loop with the other thread.
  let bulk: BulkLoop
  /// Made on the first use, on the thread that it belongs to.
  private let coder: NIOLoopBoundBox<MessageCoder?>

  /// A translator for one lane.
  init(on bulk: any EventLoop, of loop: any EventLoop) {
    self.bulk = BulkLoop(bulk, of: loop)
    coder = NIOLoopBoundBox.makeEmptyBox(valueType: MessageCoder.self, eventLoop: bulk)
  }

  /// Makes a batch's message and hands it over on the lane's loop; nil where the batch's bytes are damaged.
  func translate(
    _ batch: Batch, _ dialect: any ExportDialect, _ coding: ContentCoding, then: @escaping (ExportMessage?) -> Void
  ) {
    bulk.run(
      { [coder] in
        let own = coder.value ?? MessageCoder()
        coder.value = own
        return dialect.message(batch, coding, own)
      }, then: then)
  }
}
