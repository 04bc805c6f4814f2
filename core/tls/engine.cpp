// TlsEngine: GnuTLS over two strings.
// Must stay true: take() uses up all of its bytes, so that nothing waits where no poll looks.
#include <arpa/inet.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/base/text.h"
#include "core/tls/tls_impl.h"

namespace jobq {
namespace {

constexpr size_t kRecordBytes = 16 << 10;
constexpr char kHandshakeRecord = 0x16;

// What to do about a certificate.
struct Advice {
    unsigned status;
    const char* text;
};

constexpr Advice kAdvice[] = {
    {GNUTLS_CERT_UNEXPECTED_OWNER, "connect with a name in the certificate"},
    {GNUTLS_CERT_SIGNER_NOT_FOUND, "set JOBQ_CA_FILE to the file of its authority"},
    {GNUTLS_CERT_EXPIRED, "renew it"},
    {GNUTLS_CERT_NOT_ACTIVATED, "check the clocks of both hosts"},
};

bool is_ip_address(const std::string& host) {
    unsigned char bytes[16];
    return inet_pton(AF_INET, host.c_str(), bytes) == 1 ||
           inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

}  // namespace

ssize_t TlsEngine::Impl::push(gnutls_transport_ptr_t engine, const void* bytes, size_t size) {
    static_cast<TlsEngine*>(engine)->outgoing_.append(static_cast<const char*>(bytes), size);
    return ssize_t(size);
}

ssize_t TlsEngine::Impl::pull(gnutls_transport_ptr_t engine, void* into, size_t size) {
    auto& self = *static_cast<TlsEngine*>(engine);
    if (self.incoming_.empty()) {
        self.impl_->lib->transport_set_errno(self.impl_->session, EAGAIN);
        return -1;
    }
    size_t count = std::min(size, self.incoming_.size());
    std::memcpy(into, self.incoming_.data(), count);
    self.incoming_.remove_prefix(count);
    return ssize_t(count);
}

int TlsEngine::Impl::pull_timeout(gnutls_transport_ptr_t engine, unsigned) {
    return static_cast<TlsEngine*>(engine)->incoming_.empty() ? 0 : 1;
}

TlsEngine::TlsEngine() : impl_(std::make_unique<Impl>()) {}

TlsEngine::~TlsEngine() {
    if (impl_->session != nullptr) impl_->lib->deinit(impl_->session);
}

Result<> TlsEngine::open(bool server, std::shared_ptr<const TlsContext> context, std::string host) {
    is_server_ = server;
    impl_->lib = context->impl_->lib;
    impl_->context = std::move(context);
    impl_->host = std::move(host);
    const Gnutls& lib = *impl_->lib;
    unsigned flags = (server ? GNUTLS_SERVER : GNUTLS_CLIENT) | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL;
    int code = lib.init(&impl_->session, flags);
    if (code == 0) code = lib.priority_set(impl_->session, impl_->context->impl_->priority);
    if (code == 0)
        code = lib.credentials_set(impl_->session, GNUTLS_CRD_CERTIFICATE,
                                   impl_->context->impl_->credentials);
    if (code == 0 && !server && !is_ip_address(impl_->host))
        code = lib.server_name_set(impl_->session, GNUTLS_NAME_DNS, impl_->host.data(),
                                   impl_->host.size());
    if (code != 0)
        return fail(ErrorCode::internal,
                    std::string("can't create a TLS session: ") + lib.strerror(code));
    if (!server) lib.session_set_verify_cert(impl_->session, impl_->host.c_str(), 0);
    lib.transport_set_ptr(impl_->session, this);
    lib.transport_set_push_function(impl_->session, &Impl::push);
    lib.transport_set_pull_function(impl_->session, &Impl::pull);
    lib.transport_set_pull_timeout_function(impl_->session, &Impl::pull_timeout);
    return {};
}

Result<std::unique_ptr<TlsEngine>> TlsEngine::server(std::shared_ptr<const TlsContext> context) {
    std::unique_ptr<TlsEngine> engine(new TlsEngine);
    auto opened = engine->open(true, std::move(context), "");
    if (!opened) return tl::unexpected<Error>(opened.error());
    return engine;
}

Result<std::unique_ptr<TlsEngine>> TlsEngine::client(std::shared_ptr<const TlsContext> context,
                                                     std::string host) {
    std::unique_ptr<TlsEngine> engine(new TlsEngine);
    auto opened = engine->open(false, std::move(context), std::move(host));
    if (opened) opened = engine->shake_hands();
    if (!opened) return tl::unexpected<Error>(opened.error());
    return engine;
}

// Why the peer's certificate is not good, in GnuTLS's words.
std::string TlsEngine::certificate_trouble() const {
    const Gnutls& lib = *impl_->lib;
    unsigned status = lib.session_get_verify_cert_status(impl_->session);
    gnutls_datum_t words{};
    auto type = lib.certificate_type_get(impl_->session);
    if (lib.certificate_verification_status_print(status, type, &words, 0) != 0) return "";
    std::string text(reinterpret_cast<const char*>(words.data), words.size);
    lib.free(words.data);
    while (!text.empty() && (text.back() == '\0' || text.back() == ' ' || text.back() == '.'))
        text.pop_back();
    constexpr std::string_view kAlways = "The certificate is NOT trusted. ";
    if (text.starts_with(kAlways)) text.erase(0, kAlways.size());
    text = "the certificate is not trusted: " + printable(text);
    for (const auto& advice : kAdvice)
        if ((status & advice.status) != 0) return text + "; " + advice.text;
    return text;
}

tl::unexpected<Error> TlsEngine::failed(int code) {
    const Gnutls& lib = *impl_->lib;
    if (code == GNUTLS_E_FATAL_ALERT_RECEIVED) {
        const char* alert = lib.alert_get_name(lib.alert_get(impl_->session));
        return fail(ErrorCode::unavailable, "TLS: the other side reported \"" +
                                                std::string(alert != nullptr ? alert : "no") +
                                                "\"");
    }
    lib.alert_send_appropriate(impl_->session, code);
    if (code == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR)
        return fail(ErrorCode::unauthorized, certificate_trouble());
    if (code == GNUTLS_E_REHANDSHAKE)
        return fail(ErrorCode::unavailable, "TLS: the other side requested a renegotiation");
    return fail(ErrorCode::unavailable, std::string("TLS: ") + lib.strerror(code));
}

Result<> TlsEngine::shake_hands() {
    while (!ready_) {
        int code = impl_->lib->handshake(impl_->session);
        if (code == 0) {
            ready_ = true;
        } else if (code == GNUTLS_E_AGAIN) {
            return {};
        } else if (impl_->lib->error_is_fatal(code) != 0) {
            return failed(code);
        }
    }
    return {};
}

Result<> TlsEngine::take(std::string_view bytes, std::string& plain) {
    if (ended_ || bytes.empty()) return {};
    // Somebody who does not speak TLS would not understand an alert either.
    if (!heard_ && bytes.front() != kHandshakeRecord)
        return fail(ErrorCode::unavailable, "the other side does not speak TLS");
    heard_ = true;
    incoming_ = bytes;
    auto shaken = shake_hands();
    if (!shaken || !ready_) {
        incoming_ = {};
        return shaken;
    }
    thread_local char space[kRecordBytes];
    ssize_t got = 0;
    while (true) {
        got = impl_->lib->record_recv(impl_->session, space, sizeof space);
        if (got > 0) {
            plain.append(space, size_t(got));
            continue;
        }
        bool asks = got == GNUTLS_E_REHANDSHAKE || got == GNUTLS_E_REAUTH_REQUEST;
        bool fatal = got < 0 && impl_->lib->error_is_fatal(int(got)) != 0;
        if (got == 0 || got == GNUTLS_E_AGAIN || asks || fatal) break;
    }
    incoming_ = {};
    if (got == 0) ended_ = true;
    if (got == 0 || got == GNUTLS_E_AGAIN) return {};
    return failed(int(got));
}

Result<> TlsEngine::send(std::string_view plain) {
    JOBQ_CHECK(ready_);
    while (!plain.empty()) {
        ssize_t sent = impl_->lib->record_send(impl_->session, plain.data(), plain.size());
        if (sent == GNUTLS_E_INTERRUPTED) continue;
        if (sent < 0) return failed(int(sent));
        plain.remove_prefix(size_t(sent));
    }
    return {};
}

void TlsEngine::end() {
    if (!ready_ || end_sent_) return;
    end_sent_ = true;
    impl_->lib->bye(impl_->session, GNUTLS_SHUT_WR);
}

}  // namespace jobq
