#include "core/protocol/webhook_signature.h"

#include <sodium.h>

#include "core/base/file.h"
#include "core/base/limits.h"
#include "core/base/text.h"

namespace jobq {
namespace {

constexpr std::string_view kPrefix = "whsec_";
constexpr size_t kFileBytes = 64 << 10;

const auto* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

bool decode(std::string_view text, std::string& key) {
    unsigned char raw[limits::kWebhookSecretMax + 1];
    size_t length = 0;
    if (sodium_base642bin(raw, sizeof raw, text.data(), text.size(), nullptr, &length, nullptr,
                          sodium_base64_VARIANT_ORIGINAL) != 0)
        return false;
    key.assign(reinterpret_cast<const char*>(raw), length);
    sodium_memzero(raw, sizeof raw);
    return length >= limits::kWebhookSecretMin && length <= limits::kWebhookSecretMax;
}

}  // namespace

Result<WebhookKeys> WebhookKeys::read(const std::string& path, std::string& remark) {
    auto file = read_small_file(path, kFileBytes);
    if (!file) return fail(file.error().code, "the file of webhook secrets " + file.error().text);
    WebhookKeys keys;
    int number = 0;
    for (std::string_view line : split(file->text, '\n')) {
        ++number;
        line = trim(line);
        if (line.empty() || line.front() == '#') continue;
        std::string key;
        if (!line.starts_with(kPrefix) || !decode(line.substr(kPrefix.size()), key))
            return fail(ErrorCode::invalid,
                        "line " + std::to_string(number) + " of the file of webhook secrets " +
                            path +
                            " is not whsec_ and the base64 of 24 to 64 bytes: printf "
                            "'whsec_%s\\n' \"$(openssl rand -base64 32)\" makes one");
        keys.keys_.push_back(std::move(key));
    }
    sodium_memzero(file->text.data(), file->text.size());
    if (keys.keys_.empty() || keys.keys_.size() > limits::kWebhookSecretsMax)
        return fail(ErrorCode::invalid, "the file of webhook secrets " + path + " must hold 1 to " +
                                            std::to_string(limits::kWebhookSecretsMax) +
                                            " secrets, one per line");
    if (file->world_readable)
        remark = "every user of this host can read the webhook secrets " + path +
                 "; run chmod o-r on it";
    return keys;
}

std::string WebhookKeys::sign(std::string_view id, int64_t timestamp_s,
                              std::string_view body) const {
    const std::string begin = std::string(id) + "." + std::to_string(timestamp_s) + ".";
    std::string header;
    for (const auto& key : keys_) {
        crypto_auth_hmacsha256_state state;
        unsigned char mac[crypto_auth_hmacsha256_BYTES];
        crypto_auth_hmacsha256_init(&state, bytes_of(key), key.size());
        crypto_auth_hmacsha256_update(&state, bytes_of(begin), begin.size());
        crypto_auth_hmacsha256_update(&state, bytes_of(body), body.size());
        crypto_auth_hmacsha256_final(&state, mac);
        char text[sodium_base64_ENCODED_LEN(sizeof mac, sodium_base64_VARIANT_ORIGINAL)];
        sodium_bin2base64(text, sizeof text, mac, sizeof mac, sodium_base64_VARIANT_ORIGINAL);
        header += (header.empty() ? "v1," : " v1,") + std::string(text);
    }
    return header;
}

}  // namespace jobq
