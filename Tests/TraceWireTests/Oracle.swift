import TestKit
import TraceWire

typealias Request = OTLPGenerator.Request

/// The baggage configuration the differential tests use.
let oracleKeys = OracleSpan.keys
