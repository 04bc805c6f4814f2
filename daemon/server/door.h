// Door: who may come in by TCP: the password and the certificate of [listen], read from their
// files. Made by App at the start and anew at each reload; sessions ask it what to greet with. The
// Unix socket is guarded by its file mode alone.
//
// Must stay true: a TCP port that other hosts can reach never has a Door without password and TLS.
#pragma once

#include <memory>
#include <string>

#include "core/config/config.h"
#include "core/protocol/password.h"
#include "core/tls/tls.h"
#include "daemon/loop/stream.h"

namespace jobq {

class Door {
  public:
    // Reads the files. config: one of them can't be used; the text names its key.
    static Result<std::shared_ptr<const Door>> make(const ListenConfig& listen, int64_t wall_ms);

    // Fit for a port that other hosts can reach.
    bool is_locked() const { return password_ != nullptr && tls_ != nullptr; }

    // "": none is asked for.
    std::string password() const { return password_ ? *password_ : std::string(); }

    bool asks_password() const { return password_ != nullptr; }

    bool speaks_tls() const { return tls_ != nullptr; }

    // For the log, each a sentence: files that anybody on this host may read, a certificate that
    // ends soon.
    const std::vector<std::string>& remarks() const { return remarks_; }

    // Before the stream's session: makes TLS of it where TLS is spoken. False: it can't be served.
    bool prepare(Stream& stream) const;
    // What the session of this stream asks of its client.
    PasswordCheck check_for(const Stream& stream) const;

  private:
    std::shared_ptr<const std::string> password_;  // null: none
    std::shared_ptr<const TlsContext> tls_;        // null: plain
    bool old_password_hash_ = true;
    std::vector<std::string> remarks_;
};

}  // namespace jobq
