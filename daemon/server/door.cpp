#include "daemon/server/door.h"

#include "core/base/time.h"
#include "daemon/observe/log.h"

namespace jobq {
namespace {

constexpr int64_t kRenewMs = 7LL * 24 * 3'600'000;

}  // namespace

Result<std::shared_ptr<const Door>> Door::make(const ListenConfig& listen, int64_t wall_ms) {
    auto door = std::make_shared<Door>();
    door->old_password_hash_ = listen.old_password_hash;
    std::string password = listen.password;
    if (password.empty() && !listen.password_file.empty()) {
        auto file = read_password_file(listen.password_file);
        if (!file) return fail(ErrorCode::config, "listen.password_file: " + file.error().text);
        password = std::move(file->password);
        if (file->world_readable)
            door->remarks_.push_back("every user of this host can read the password file " +
                                     listen.password_file + "; run chmod o-r on it");
    }
    if (!password.empty()) door->password_ = std::make_shared<const std::string>(password);
    if (listen.tls_cert.empty()) return door;
    auto tls = TlsContext::for_server(listen.tls_cert, listen.tls_key);
    if (!tls) return fail(ErrorCode::config, "listen.tls_cert: " + tls.error().text);
    if ((*tls)->key_is_exposed())
        door->remarks_.push_back("every user of this host can read the TLS key " + listen.tls_key +
                                 "; run chmod o-r on it");
    if (int64_t ends = (*tls)->ends_ms(); ends > 0 && ends - wall_ms < kRenewMs)
        door->remarks_.push_back("the certificate " + listen.tls_cert +
                                 (ends < wall_ms ? " expired at " : " expires at ") +
                                 format_rfc3339(ends) + "; renew it, then send SIGHUP");
    door->tls_ = std::move(*tls);
    return door;
}

bool Door::prepare(Stream& stream) const {
    if (stream.is_unix() || !tls_) return true;
    auto engine = TlsEngine::server(tls_);
    if (!engine) {
        log(LogLevel::error, "tls.no_session", engine.error().text);
        return false;
    }
    stream.start_tls(std::move(*engine));
    return true;
}

PasswordCheck Door::check_for(const Stream& stream) const {
    if (stream.is_unix()) return {};
    return {password_, old_password_hash_};
}

}  // namespace jobq
