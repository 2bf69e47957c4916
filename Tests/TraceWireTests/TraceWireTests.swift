// TraceWireTests
