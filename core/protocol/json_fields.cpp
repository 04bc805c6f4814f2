#include "core/protocol/json_fields.h"

#include <simdjson.h>

#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "core/base/text.h"

namespace jobq {
namespace {

// One parser per thread and depth, its tape kept for the next text.
simdjson::error_code parse_with(std::string_view text, int max_depth,
                                simdjson::dom::element& root) {
    thread_local std::array<simdjson::dom::parser, limits::kJsonDepth + 8> parsers;
    thread_local std::string padded;
    constexpr size_t kKeepBytes = 256 << 10;
    auto& parser = parsers.at(size_t(max_depth));
    size_t wanted = std::max<size_t>(text.size(), 4096);
    if (parser.capacity() < wanted || (parser.capacity() > kKeepBytes && wanted < kKeepBytes)) {
        auto failed = parser.allocate(wanted, size_t(max_depth));
        if (failed) return failed;
    }
    if (padded.capacity() > kKeepBytes && text.size() < kKeepBytes) padded = std::string();
    padded.reserve(text.size() + simdjson::SIMDJSON_PADDING);
    padded.assign(text);
    return parser.parse(padded.data(), text.size(), false).get(root);
}

// The rest works on text that is known to be JSON, so it only looks for ends.
size_t skip_space(std::string_view text, size_t at) {
    while (at < text.size() &&
           (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r'))
        ++at;
    return at;
}

size_t string_end(std::string_view text, size_t at) {
    for (++at; text[at] != '"'; ++at)
        if (text[at] == '\\') ++at;
    return at + 1;
}

size_t value_end(std::string_view text, size_t at) {
    char first = text[at];
    if (first == '"') return string_end(text, at);
    if (first != '{' && first != '[') {
        while (at < text.size() && std::string_view(",]} \t\r\n").find(text[at]) == text.npos)
            ++at;
        return at;
    }
    int depth = 0;
    while (true) {
        char c = text[at];
        if (c == '"') {
            at = string_end(text, at);
            continue;
        }
        if (c == '{' || c == '[') ++depth;
        if (c == '}' || c == ']') --depth;
        ++at;
        if (depth == 0) return at;
    }
}

JsonField::Kind kind_of(std::string_view raw) {
    switch (raw[0]) {
        case 'n':
            return JsonField::Kind::null;
        case 't':
        case 'f':
            return JsonField::Kind::boolean;
        case '"':
            return JsonField::Kind::string;
        case '[':
            return JsonField::Kind::array;
        case '{':
            return JsonField::Kind::object;
        default:
            break;
    }
    bool whole = raw.find_first_of(".eE") == raw.npos;
    return whole ? JsonField::Kind::integer : JsonField::Kind::number;
}

bool same_name(std::string_view a, std::string_view b, bool fold_case) {
    if (!fold_case) return a == b;
    if (a.size() != b.size()) return false;
    for (size_t i = 0; i < a.size(); ++i)
        if (std::tolower(static_cast<unsigned char>(a[i])) !=
            std::tolower(static_cast<unsigned char>(b[i])))
            return false;
    return true;
}

// How deep arrays and objects nest. Requires: well-formed JSON.
int depth_of(std::string_view text) {
    int depth = 0, deepest = 0;
    for (size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '"') at = string_end(text, at) - 1;
        if (text[at] == '[' || text[at] == '{') deepest = std::max(deepest, ++depth);
        if (text[at] == ']' || text[at] == '}') --depth;
    }
    return deepest;
}

// As Go's encoder: plain digits for what is neither huge nor tiny.
void append_double(std::string& out, double value) {
    double size = std::fabs(value);
    bool plain = size == 0 || (size >= 1e-6 && size < 1e21);
    char digits[64];
    auto [end, error] =
        std::to_chars(digits, digits + sizeof digits, value,
                      plain ? std::chars_format::fixed : std::chars_format::scientific);
    std::string_view text(digits, size_t(end - digits));
    size_t exponent = text.find("e-0");
    out += text.substr(0, exponent == text.npos ? exponent : exponent + 2);
    if (exponent != text.npos) out += text.substr(exponent + 3);
}

// Requires: an element of a checked text, so no deeper than limits::kJsonDepth and a little.
void append_go(std::string& out, simdjson::dom::element value) {
    using Type = simdjson::dom::element_type;
    bool first = true;
    auto comma = [&] {
        if (!std::exchange(first, false)) out += ',';
    };
    switch (value.type()) {
        case Type::ARRAY:
            out += '[';
            for (auto element : simdjson::dom::array(value)) {
                comma();
                append_go(out, element);
            }
            out += ']';
            break;
        case Type::OBJECT: {
            std::map<std::string_view, simdjson::dom::element> sorted;
            for (auto [key, element] : simdjson::dom::object(value))
                sorted.insert_or_assign(key, element);
            out += '{';
            for (const auto& [key, element] : sorted) {
                comma();
                out += json_quoted(key);
                out += ':';
                append_go(out, element);
            }
            out += '}';
            break;
        }
        case Type::STRING:
            out += json_quoted(std::string_view(value));
            break;
        case Type::DOUBLE:
            append_double(out, double(value));
            break;
        default:
            out += simdjson::minify(value);
    }
}

Error wrong_kind(std::string_view name, std::string_view wanted) {
    return {ErrorCode::bad_data, "\"" + std::string(name) + "\" must be " + std::string(wanted)};
}

}  // namespace

Result<> check_json(std::string_view text, int max_depth) {
    if (skip_space(text, 0) == text.size())
        return fail(ErrorCode::bad_data, "unexpected end of JSON input");
    simdjson::dom::element root;
    auto failed = parse_with(text, max_depth, root);
    if (failed == simdjson::DEPTH_ERROR)
        return fail(ErrorCode::too_large,
                    "JSON nested deeper than " + std::to_string(limits::kJsonDepth) + " levels");
    // Integers beyond 64 bits are JSON too, and kept as they came: simdjson does not say whether it
    // was one of those. To nlohmann's parser a NUL is the end.
    if (failed == simdjson::NUMBER_ERROR) {
        bool whole = text.find('\0') == text.npos && nlohmann::json::accept(text);
        if (whole && depth_of(text) <= max_depth) return {};
        return fail(ErrorCode::bad_data, "a number that is malformed or out of range");
    }
    if (failed == simdjson::UTF8_ERROR) return fail(ErrorCode::bad_data, "not valid UTF-8");
    if (failed) return fail(ErrorCode::bad_data, simdjson::error_message(failed));
    return {};
}

Result<std::vector<JsonField>> json_object(std::string_view text, int max_depth) {
    auto checked = check_json(text, max_depth);
    if (!checked) return tl::unexpected<Error>(checked.error());
    size_t at = skip_space(text, 0);
    if (text[at] != '{') return fail(ErrorCode::bad_data, "a JSON object is required");
    std::vector<JsonField> fields;
    at = skip_space(text, at + 1);
    while (text[at] != '}') {
        size_t key_end = string_end(text, at);
        JsonField field;
        field.key = json_string(text.substr(at, key_end - at));
        at = skip_space(text, skip_space(text, key_end) + 1);  // past the colon
        size_t end = value_end(text, at);
        field.raw = text.substr(at, end - at);
        field.kind = kind_of(field.raw);
        fields.push_back(std::move(field));
        at = skip_space(text, end);
        if (text[at] == ',') at = skip_space(text, at + 1);
    }
    return fields;
}

std::vector<JsonField> json_array(std::string_view raw) {
    std::vector<JsonField> elements;
    size_t at = skip_space(raw, 1);
    while (raw[at] != ']') {
        size_t end = value_end(raw, at);
        JsonField element;
        element.raw = raw.substr(at, end - at);
        element.kind = kind_of(element.raw);
        elements.push_back(std::move(element));
        at = skip_space(raw, end);
        if (raw[at] == ',') at = skip_space(raw, at + 1);
    }
    return elements;
}

std::string json_string(std::string_view raw) {
    std::string_view inside = raw.substr(1, raw.size() - 2);
    if (inside.find('\\') == inside.npos) return std::string(inside);
    simdjson::dom::element root;
    if (parse_with(raw, 1, root)) return {};
    std::string_view text;
    if (root.get_string().get(text)) return {};
    return std::string(text);
}

std::optional<int64_t> json_integer(const JsonField& field) {
    if (field.kind != JsonField::Kind::integer) return std::nullopt;
    return parse_int(field.raw);
}

std::optional<std::vector<std::string>> json_strings(const JsonField& field) {
    if (field.kind != JsonField::Kind::array) return std::nullopt;
    std::vector<std::string> texts;
    for (const auto& element : json_array(field.raw)) {
        if (element.kind != JsonField::Kind::string) return std::nullopt;
        texts.push_back(json_string(element.raw));
    }
    return texts;
}

// Integers beyond 64 bits written as floating-point numbers, which Go takes them for. Requires:
// well-formed JSON.
static std::string with_big_as_double(std::string_view text) {
    constexpr size_t kDigits = 19;  // of the largest that fits
    std::string out;
    for (size_t at = 0; at < text.size();) {
        char c = text[at];
        bool is_text = c == '"', is_number = c == '-' || (c >= '0' && c <= '9');
        size_t end = is_text ? string_end(text, at) : is_number ? value_end(text, at) : at + 1;
        std::string_view token = text.substr(at, end - at);
        out += token;
        if (is_number && token.size() >= kDigits && kind_of(token) == JsonField::Kind::integer)
            out += "e0";
        at = end;
    }
    return out;
}

std::string go_json(std::string_view raw) {
    simdjson::dom::element root;
    constexpr int kDepth = limits::kJsonDepth + 2;
    auto failed = parse_with(raw, kDepth, root);
    if (failed == simdjson::NUMBER_ERROR)
        failed = parse_with(with_big_as_double(raw), kDepth, root);
    if (failed) return std::string(raw);
    std::string out;
    append_go(out, root);
    return out;
}

Result<JsonObject> JsonObject::parse(std::string_view text, bool fold_case, int max_depth) {
    auto fields = json_object(text, max_depth);
    if (!fields) return tl::unexpected<Error>(fields.error());
    JsonObject object;
    object.fields_ = std::move(*fields);
    object.fold_case_ = fold_case;
    return object;
}

const JsonField* JsonObject::find(std::string_view name) const {
    for (auto it = fields_.rbegin(); it != fields_.rend(); ++it)
        if (same_name(it->key, name, fold_case_)) return it->is_null() ? nullptr : &*it;
    return nullptr;
}

Result<std::optional<std::string>> JsonObject::string(std::string_view name) const {
    const JsonField* field = find(name);
    if (!field) return std::optional<std::string>();
    if (field->kind != JsonField::Kind::string)
        return tl::unexpected<Error>(wrong_kind(name, "a string"));
    return std::optional<std::string>(json_string(field->raw));
}

Result<std::optional<int64_t>> JsonObject::integer(std::string_view name) const {
    const JsonField* field = find(name);
    if (!field) return std::optional<int64_t>();
    auto value = json_integer(*field);
    if (!value) return tl::unexpected<Error>(wrong_kind(name, "an integer"));
    return value;
}

Result<std::optional<bool>> JsonObject::boolean(std::string_view name) const {
    const JsonField* field = find(name);
    if (!field) return std::optional<bool>();
    if (field->kind != JsonField::Kind::boolean)
        return tl::unexpected<Error>(wrong_kind(name, "true or false"));
    return std::optional<bool>(field->raw == "true");
}

Result<std::optional<std::vector<std::string>>> JsonObject::strings(std::string_view name) const {
    const JsonField* field = find(name);
    if (!field) return std::optional<std::vector<std::string>>();
    auto texts = json_strings(*field);
    if (!texts) return tl::unexpected<Error>(wrong_kind(name, "an array of strings"));
    return texts;
}

}  // namespace jobq
