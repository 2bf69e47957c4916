import Testing
import TraceWire

@Suite("large arrays") struct LargeArrayTests {
  @Test("an array is filled, whatever it held", arguments: [0, 1, 1000, 1 << 18, (1 << 18) + 1])
  func fill(count: Int) {
    var array: [UInt32] = [1, 2, 3]
    array.fill(7, count: count)
    #expect(array == Array(repeating: 7, count: count))
  }

  @Test("what is given back is empty and has no room", arguments: [0, 10, (1 << 20) + 3, 5 << 20])
  func giveBack(count: Int) {
    var array = [UInt8](repeating: 1, count: count)
    array.giveBack()
    #expect(array.isEmpty)
    #expect(array.capacity == 0)
  }

  @Test("who shares the array keeps what is in it")
  func shared() {
    var array = [UInt8](repeating: 1, count: 5 << 20)
    let other = array
    array.giveBack()
    #expect(array.isEmpty)
    #expect(other.count == 5 << 20)
    #expect(other.allSatisfy { $0 == 1 })
  }
}
