// HTTP2Engine: HTTP/2 without sockets, server and client, on nghttp2 as the frame codec; and the vocabulary of a
// request and its answer, which HTTP/1.1 shares.
//
// Owns: streams, the header budget (bytes and fields), the abuse meter for what nghttp2 does not notice, flow-control
// windows that open as bytes are consumed, the outbound queue's cap.
// Never: sockets, timers, TLS, gRPC. Bytes come in, events and bytes go out; a fault says why to hang up.
