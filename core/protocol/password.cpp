#include "core/protocol/password.h"

#include <sodium.h>

#include <algorithm>
#include <cstdio>

#include "core/base/file.h"
#include "core/base/id.h"
#include "core/base/text.h"
#include "core/json/fields.h"

namespace jobq {
namespace {

// The hash is computed on the loop, for each connection, and a wrong one costs the same. One
// SHA-256 of libsodium takes 0.33 us on a slow core, so these take below 0.1 ms, where Faktory's
// 4,000 to 8,095 take 1.3 to 2.7 ms. Rounds only slow down somebody who has recorded a handshake
// and guesses: a long random password is what helps there, and TLS, without which no other host can
// connect.
constexpr int64_t kRounds = 256;
constexpr int64_t kRoundsMax = 1'000'000;  // a server asks for some thousands; above: a trap
constexpr size_t kPasswordBytes = 4'096;

}  // namespace

std::string password_hash(std::string_view password, std::string_view salt, int64_t rounds) {
    std::string text(password);
    text += salt;
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, reinterpret_cast<const unsigned char*>(text.data()), text.size());
    for (int64_t round = 1; round < rounds; ++round) {
        unsigned char next[crypto_hash_sha256_BYTES];
        crypto_hash_sha256(next, hash, sizeof hash);
        std::copy(std::begin(next), std::end(next), std::begin(hash));
    }
    sodium_memzero(text.data(), text.size());
    return hex(std::string_view(reinterpret_cast<const char*>(hash), sizeof hash));
}

PasswordCheck::PasswordCheck(std::shared_ptr<const std::string> password, bool old_hash)
    : password_(std::move(password)), old_hash_(old_hash) {
    if (!password_) return;
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(random_u64()));
    salt_ = text;
}

std::string PasswordCheck::greeting() const {
    if (!password_) return "+HI {\"v\":2}\r\n";
    // No space: one client splits the line at spaces.
    return "+HI {\"v\":2,\"i\":" + std::to_string(kRounds) + ",\"s\":\"" + salt_ + "\"}\r\n";
}

bool PasswordCheck::accepts(int64_t version, std::string_view pwdhash) const {
    if (!password_) return true;
    if (version < 2 && !old_hash_) return false;
    std::string wanted = password_hash(*password_, salt_, version < 2 ? 1 : kRounds);
    // The length is no secret.
    return pwdhash.size() == wanted.size() &&
           sodium_memcmp(pwdhash.data(), wanted.data(), wanted.size()) == 0;
}

Result<std::string> password_answer(std::string_view greeting_json, std::string_view password) {
    auto greeting = JsonFields::parse(greeting_json);
    if (!greeting) return fail(ErrorCode::unavailable, "the server at this address is not jobqd");
    auto salt = greeting->string("s");
    auto rounds = greeting->integer("i");
    if (salt && !*salt) return "";
    if (!salt || !rounds || rounds->value_or(1) < 1 || rounds->value_or(1) > kRoundsMax)
        return fail(ErrorCode::unavailable, "it requests an invalid password hash");
    if (password.empty()) return fail(ErrorCode::unauthorized, "it requires a password");
    return password_hash(password, **salt, rounds->value_or(1));
}

bool same_password(std::string_view given, std::string_view wanted) {
    std::string a = password_hash(given, "", 1), b = password_hash(wanted, "", 1);
    return sodium_memcmp(a.data(), b.data(), b.size()) == 0;
}

bool names_password_file(std::string_view value) {
    return value.starts_with('/');
}

Result<PasswordFile> read_password_file(const std::string& path) {
    auto file = read_small_file(path, kPasswordBytes);
    if (!file) return fail(file.error().code, "the password file " + file.error().text);
    PasswordFile result{std::string(trim(file->text)), file->world_readable};
    sodium_memzero(file->text.data(), file->text.size());
    if (result.password.empty())
        return fail(ErrorCode::invalid, "the password file " + path + " is empty");
    if (result.password.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
        return fail(ErrorCode::invalid, "the password file " + path +
                                            " has several lines, but must contain one password");
    return result;
}

Result<std::string> password_from_variable(const std::string& value) {
    if (!names_password_file(value)) return value;
    auto file = read_password_file(value);
    if (!file) return tl::unexpected<Error>(file.error());
    return std::move(file->password);
}

}  // namespace jobq
