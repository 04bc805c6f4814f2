#include "core/job/cause.h"

#include <sodium.h>

#include <algorithm>

#include "core/base/ascii.h"
#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/json/view.h"
#include "core/json/writer.h"

namespace jobq {
namespace {

constexpr size_t kIdBytes = 12;  // a word so long, with digits at two places, is an id
constexpr size_t kHexBytes = 6;  // and one of hexadecimal digits alone, so long
constexpr size_t kQuotedBytes = 200;

bool is_hex(char c) {
    return hex_digit(c).has_value();
}

bool has_digit(std::string_view text) {
    return std::any_of(text.begin(), text.end(), is_digit);
}

// A mark; parts of one number, time or address with ".", ":" or "," between them are one.
void add_mark(std::string& out) {
    size_t end = out.size();
    while (end > 0 && (out[end - 1] == '.' || out[end - 1] == ':' || out[end - 1] == ','))
        --end;
    if (end > 0 && out[end - 1] == '#')
        out.resize(end);
    else
        out += '#';
}

void add_word(std::string& out, std::string_view word) {
    size_t numbers = 0;
    for (size_t i = 0; i < word.size(); ++i)
        numbers += is_digit(word[i]) && (i == 0 || !is_digit(word[i - 1]));
    const bool hex = word.size() >= kHexBytes && std::all_of(word.begin(), word.end(), is_hex);
    const bool prefixed = word.size() > 2 && word[0] == '0' && (word[1] == 'x' || word[1] == 'X');
    const bool id = word.size() >= kIdBytes && (numbers > 1 || is_digit(word[0]));
    if (prefixed || id || (hex && numbers > 0)) return add_mark(out);
    for (size_t i = 0; i < word.size(); ++i)
        if (!is_digit(word[i])) {
            out += word[i];
        } else if (i == 0 || !is_digit(word[i - 1])) {
            add_mark(out);
        }
}

// How long the UUID is that begins here: 0 when none does.
size_t uuid_at(std::string_view text) {
    constexpr size_t kLength = 36;
    if (text.size() < kLength || (text.size() > kLength && is_letter_or_digit(text[kLength])))
        return 0;
    for (size_t i = 0; i < kLength; ++i) {
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : !is_hex(text[i])) return 0;
    }
    return kLength;
}

// How long the quoted word that begins here is, its quotes included: 0 when none does.
size_t quoted_at(std::string_view text) {
    const char quote = text[0];
    if (quote != '\'' && quote != '"' && quote != '`') return 0;
    const size_t end = text.substr(0, kQuotedBytes).find(quote, 1);
    if (end == std::string_view::npos) return 0;
    const std::string_view inside = text.substr(1, end - 1);
    return has_digit(inside) && inside.find(' ') == std::string_view::npos ? end + 1 : 0;
}

}  // namespace

std::string masked(std::string_view text) {
    std::string out;
    for (size_t i = 0; i < text.size();) {
        const bool begins = i == 0 || !is_letter_or_digit(text[i - 1]);
        const std::string_view rest = text.substr(i);
        if (const size_t quoted = begins ? quoted_at(rest) : 0) {
            out.append(1, text[i]).append(1, '#').append(1, text[i]);
            i += quoted;
        } else if (const size_t uuid = begins ? uuid_at(rest) : 0) {
            add_mark(out);
            i += uuid;
        } else if (is_letter_or_digit(text[i])) {
            size_t end = 0;
            while (end < rest.size() && is_letter_or_digit(rest[end]))
                ++end;
            add_word(out, rest.substr(0, end));
            i += end;
        } else {
            out += text[i++];
        }
    }
    return out;
}

Cause cause_of(const std::string& type, const JobRecord& record) {
    Cause cause;
    cause.type = type;
    if (record.errors.empty()) {
        cause.reason = record.reason;
        return cause;
    }
    const Attempt& last = record.errors.back();
    cause.error_type = last.error_type;
    const std::string_view message = last.message;
    const std::string shape = masked(message.substr(0, message.find('\n')));
    cause.message = utf8_prefix(shape, limits::kFilterTextBytes);
    return cause;
}

std::string Cause::fingerprint() const {
    std::string whole;
    for (const std::string* part : {&type, &error_type, &message, &reason})
        whole.append(*part).append(1, '\0');
    char digest[16];  // the shortest there is
    crypto_generichash(reinterpret_cast<unsigned char*>(digest), sizeof digest,
                       reinterpret_cast<const unsigned char*>(whole.data()), whole.size(), nullptr,
                       0);
    return hex({digest, 8});
}

// Sorted by name, as all versions of jobq wrote it.
std::string Cause::to_json() const {
    auto json = JsonWriter::object();
    if (!error_type.empty()) json.field("error_type", error_type);
    if (!message.empty()) json.field("message", message);
    if (!reason.empty()) json.field("reason", reason);
    return json.field("type", type).end_object().take();
}

Cause Cause::from_json(std::string_view text) {
    Cause cause;
    const JsonView object(text);
    const auto read = [&](std::string_view key, std::string& into) {
        const JsonView member = object[key];
        if (member.is_string()) into = member.text();
    };
    read("type", cause.type);
    read("error_type", cause.error_type);
    read("message", cause.message);
    read("reason", cause.reason);
    return cause;
}

}  // namespace jobq
