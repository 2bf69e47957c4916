// HTTP2EngineTests
