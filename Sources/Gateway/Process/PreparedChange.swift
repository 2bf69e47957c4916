/// A part of a reload that was checked and cannot fail any more. Nothing happens before it is called.
typealias PreparedChange = @Sendable () async -> Void
