// TlsContext: from files to what GnuTLS wants.
#include <sodium.h>

#include "core/base/file.h"
#include "core/tls/tls_impl.h"

namespace jobq {

// ECDHE alone: a key that is stolen later opens no recorded connection, and no client can make the
// loop compute with huge numbers of its choice.
const char* const kTlsPriority =
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-DHE-RSA:-DHE-DSS:-SHA1:-AES-128-CBC:-AES-256-"
    "CBC";

namespace {

constexpr size_t kPemBytes = 1 << 20;  // a bundle of authorities has some 200 KiB

gnutls_datum_t datum(std::string& text) {
    return {reinterpret_cast<unsigned char*>(text.data()), unsigned(text.size())};
}

tl::unexpected<Error> bad_config(std::string text) {
    return fail(ErrorCode::config, std::move(text));
}

}  // namespace

TlsContext::TlsContext() : impl_(std::make_unique<Impl>()) {}

TlsContext::~TlsContext() {
    if (impl_->priority != nullptr) impl_->lib->priority_deinit(impl_->priority);
    if (impl_->credentials != nullptr) impl_->lib->certificate_free_credentials(impl_->credentials);
}

Result<> TlsContext::Impl::open() {
    auto library = load_gnutls();
    if (!library) return tl::unexpected<Error>(library.error());
    lib = *library;
    int code = lib->priority_init(&priority, kTlsPriority, nullptr);
    if (code == 0) code = lib->certificate_allocate_credentials(&credentials);
    if (code == 0) return {};
    return fail(ErrorCode::internal, std::string("can't start GnuTLS: ") + lib->strerror(code));
}

int64_t TlsContext::Impl::ends_ms() const {
    gnutls_x509_crt_t* list = nullptr;
    unsigned count = 0;
    if (lib->certificate_get_x509_crt(credentials, 0, &list, &count) != 0) return 0;
    time_t ends = count == 0 ? time_t(-1) : lib->x509_crt_get_expiration_time(list[0]);
    for (unsigned i = 0; i < count; ++i)
        lib->x509_crt_deinit(list[i]);
    lib->free(list);
    return ends == time_t(-1) ? 0 : int64_t(ends) * 1'000;
}

Result<std::shared_ptr<const TlsContext>> TlsContext::for_server(
    const std::string& certificate_file, const std::string& key_file) {
    std::shared_ptr<TlsContext> context(new TlsContext);
    auto opened = context->impl_->open();
    if (!opened) return tl::unexpected<Error>(opened.error());
    auto certificate = read_small_file(certificate_file, kPemBytes);
    if (!certificate) return bad_config("the certificate " + certificate.error().text);
    auto key = read_small_file(key_file, kPemBytes);
    if (!key) return bad_config("the key " + key.error().text);
    gnutls_datum_t certificate_text = datum(certificate->text), key_text = datum(key->text);
    const Gnutls& lib = *context->impl_->lib;
    int code = lib.certificate_set_x509_key_mem2(context->impl_->credentials, &certificate_text,
                                                 &key_text, GNUTLS_X509_FMT_PEM, nullptr, 0);
    sodium_memzero(key->text.data(), key->text.size());
    context->key_is_exposed_ = key->world_readable;
    if (code == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
        return bad_config("the key " + key_file + " does not belong to the certificate " +
                          certificate_file + "; name two files that belong together");
    if (code < 0)
        return bad_config("the certificate " + certificate_file + " and the key " + key_file +
                          " can't be used: " + lib.strerror(code) +
                          "; both must be PEM files, and the key must not have a password");
    context->ends_ms_ = context->impl_->ends_ms();
    return context;
}

Result<std::shared_ptr<const TlsContext>> TlsContext::for_client(const std::string& ca_file) {
    std::shared_ptr<TlsContext> context(new TlsContext);
    auto opened = context->impl_->open();
    if (!opened) return tl::unexpected<Error>(opened.error());
    const Gnutls& lib = *context->impl_->lib;
    if (ca_file.empty()) {
        // None at all shows when a certificate is checked.
        lib.certificate_set_x509_system_trust(context->impl_->credentials);
        return context;
    }
    auto file = read_small_file(ca_file, kPemBytes);
    if (!file) return bad_config("the CA file " + file.error().text);
    gnutls_datum_t text = datum(file->text);
    int count =
        lib.certificate_set_x509_trust_mem(context->impl_->credentials, &text, GNUTLS_X509_FMT_PEM);
    if (count <= 0) return bad_config("the CA file " + ca_file + " contains no PEM certificate");
    return context;
}

}  // namespace jobq
