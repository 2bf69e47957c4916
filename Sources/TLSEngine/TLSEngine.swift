// TLSEngine: TLS without sockets on OpenSSL: sessions over memory, verification, peer identity, reloadable identities.
//
// Owns: contexts for both sides (versions, ciphers, ALPN, trust, client certificates), one session's bytes in and out,
// host name verification, the region a peer's certificate speaks for, a certificate's expiry.
// Never: sockets, timers, HTTP. Cipher bytes come in, plain bytes go out, and the reverse; a fault says why to hang up.
