// Transport: the SwiftNIO glue: listeners (TLS, h2c and HTTP/1.1 on one port), client connections, timers, drain.
//
// Owns: sockets, the choice of protocol on a new connection, caps on connections, opening deadlines, graceful shutdown,
// and one value per event loop (`PerLoop`). It feeds bytes to the engines of TLSEngine and HTTP2Engine and carries out
// what they ask for.
// Never: what a request means. A listener is given a `RequestService` for each loop and knows nothing more of it.
