// HTTP2Engine: HTTP/2 without sockets, server and client, on nghttp2 as the frame codec; and the vocabulary of a
// request and its answer, which HTTP/1.1 shares.
//
// Owns: streams, the header budget (bytes and fields), the abuse meter for what nghttp2 does not notice, flow-control
// windows that open as bytes are consumed, the outbound queue's cap.
// Never: sockets, timers, TLS, gRPC. Bytes come in, events and bytes go out; a fault says why to hang up.
//
// `HTTP2Server` and `HTTP2Client` are thin: both stand on an `HTTP2Session` (one nghttp2 session, its streams, its
// meter), which knows streams only as `HTTP2Stream`. What an exchange is, "one request, one answer", is the business of
// the subclasses `ServerStream` and `ClientStream`; another kind of exchange is another subclass.
