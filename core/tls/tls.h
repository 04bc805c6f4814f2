// TLS between two buffers of memory: no socket, no thread, no wait. daemon/loop/stream and
// cli/link/wire move the bytes.
//
// TLS 1.2 and 1.3 only, with forward secrecy; no renegotiation (a peer that asks for it is closed),
// no tickets, no client certificates. Must stay true: what a peer can make an engine hold is
// bounded by a record (16 KiB) and, during the handshake, by GnuTLS's limit of 128 KiB.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/error.h"

namespace jobq {

// Which versions and ciphers, in GnuTLS's words: for libmicrohttpd, which speaks TLS by itself.
extern const char* const kTlsPriority;

// A certificate with its key, or the authorities that a client trusts. Shared by engines: one that
// is replaced lives on until the last of them is gone.
class TlsContext {
  public:
    // PEM files; the certificate's file may hold the chain. Any error is `config`, names the file
    // and what to do.
    static Result<std::shared_ptr<const TlsContext>> for_server(const std::string& certificate_file,
                                                                const std::string& key_file);
    // "": the system's authorities.
    static Result<std::shared_ptr<const TlsContext>> for_client(const std::string& ca_file);
    ~TlsContext();
    TlsContext(const TlsContext&) = delete;

    // Of a server: the file of the key may be read by anybody.
    bool key_is_exposed() const { return key_is_exposed_; }

    // Of a server: when the certificate ends.
    int64_t ends_ms() const { return ends_ms_; }

  private:
    friend class TlsEngine;
    struct Impl;
    TlsContext();

    std::unique_ptr<Impl> impl_;
    bool key_is_exposed_ = false;
    int64_t ends_ms_ = 0;
};

// One connection.
class TlsEngine {
  public:
    static Result<std::unique_ptr<TlsEngine>> server(std::shared_ptr<const TlsContext> context);
    // The certificate must be valid for `host`, a name or an address. outgoing() holds the first
    // message.
    static Result<std::unique_ptr<TlsEngine>> client(std::shared_ptr<const TlsContext> context,
                                                     std::string host);
    ~TlsEngine();
    TlsEngine(const TlsEngine&) = delete;

    // Bytes that came; what they say is appended to `plain`. After an error the connection is over;
    // outgoing() may still hold an alert. unauthorized: the peer's certificate is not trusted.
    Result<> take(std::string_view bytes, std::string& plain);
    // Encrypts into outgoing(); only when ready().
    Result<> send(std::string_view plain);
    // Says, once, that nothing more will be sent.
    void end();

    // The handshake is done.
    bool ready() const { return ready_; }

    // The peer has said that nothing more will come.
    bool ended() const { return ended_; }

    // For the socket; who sends takes it away.
    std::string& outgoing() { return outgoing_; }

  private:
    struct Impl;
    TlsEngine();
    Result<> open(bool server, std::shared_ptr<const TlsContext> context, std::string host);
    Result<> shake_hands();
    tl::unexpected<Error> failed(int code);
    std::string certificate_trouble() const;

    std::unique_ptr<Impl> impl_;
    std::string_view incoming_;  // during take()
    std::string outgoing_;
    bool ready_ = false, ended_ = false, end_sent_ = false, heard_ = false, is_server_ = false;
};

}  // namespace jobq
