#include "core/json/fields.h"

#include "core/base/text.h"
#include "core/json/document.h"
#include "core/json/scan.h"

namespace jobq {
namespace {

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

char folded(char c) {
    return c >= 'A' && c <= 'Z' ? char(c + ('a' - 'A')) : c;
}

bool same_name(std::string_view a, std::string_view b, bool fold_case) {
    if (!fold_case) return a == b;
    if (a.size() != b.size()) return false;
    for (size_t i = 0; i < a.size(); ++i)
        if (a[i] != b[i] && folded(a[i]) != folded(b[i])) return false;
    return true;
}

Error wrong_kind(std::string_view name, std::string_view wanted) {
    return {ErrorCode::bad_data, "\"" + std::string(name) + "\" must be " + std::string(wanted)};
}

}  // namespace

Result<std::vector<JsonField>> json_object(std::string_view text, int max_depth) {
    auto checked = check_json(text, max_depth);
    if (!checked) return tl::unexpected<Error>(checked.error());
    const size_t at = scan::skip_space(text, 0);
    if (text[at] != '{') return fail(ErrorCode::bad_data, "a JSON object is required");
    std::vector<JsonField> fields;
    scan::walk(text.substr(at), [&](std::string_view key, std::string_view value) {
        fields.push_back({json_string(key), value, kind_of(value)});
        return true;
    });
    return fields;
}

std::vector<JsonField> json_array(std::string_view raw) {
    std::vector<JsonField> elements;
    scan::walk(raw, [&](std::string_view, std::string_view value) {
        elements.push_back({{}, value, kind_of(value)});
        return true;
    });
    return elements;
}

std::string json_string(std::string_view raw) {
    const std::string_view inside = raw.substr(1, raw.size() - 2);
    return inside.find('\\') == inside.npos ? std::string(inside) : scan::unescaped(inside);
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

Result<JsonFields> JsonFields::parse(std::string_view text, bool fold_case, int max_depth) {
    auto fields = json_object(text, max_depth);
    if (!fields) return tl::unexpected<Error>(fields.error());
    JsonFields object;
    object.fields_ = std::move(*fields);
    object.fold_case_ = fold_case;
    return object;
}

const JsonField* JsonFields::find(std::string_view name) const {
    for (auto it = fields_.rbegin(); it != fields_.rend(); ++it)
        if (same_name(it->key, name, fold_case_)) return it->is_null() ? nullptr : &*it;
    return nullptr;
}

Result<std::optional<std::string>> JsonFields::string(std::string_view name) const {
    const JsonField* field = find(name);
    if (!field) return std::optional<std::string>();
    if (field->kind != JsonField::Kind::string)
        return tl::unexpected<Error>(wrong_kind(name, "a string"));
    return std::optional<std::string>(json_string(field->raw));
}

Result<std::optional<int64_t>> JsonFields::integer(std::string_view name) const {
    const JsonField* field = find(name);
    if (!field) return std::optional<int64_t>();
    auto value = json_integer(*field);
    if (!value) return tl::unexpected<Error>(wrong_kind(name, "an integer"));
    return value;
}

Result<std::optional<bool>> JsonFields::boolean(std::string_view name) const {
    const JsonField* field = find(name);
    if (!field) return std::optional<bool>();
    if (field->kind != JsonField::Kind::boolean)
        return tl::unexpected<Error>(wrong_kind(name, "true or false"));
    return std::optional<bool>(field->raw == "true");
}

Result<std::optional<std::vector<std::string>>> JsonFields::strings(std::string_view name) const {
    const JsonField* field = find(name);
    if (!field) return std::optional<std::vector<std::string>>();
    auto texts = json_strings(*field);
    if (!texts) return tl::unexpected<Error>(wrong_kind(name, "an array of strings"));
    return texts;
}

}  // namespace jobq
