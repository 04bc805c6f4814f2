// Reading Nodes into fields, one method for each kind of key. Messages say the key, what it must
// be and what was found; unknown keys name the nearest known one.
#include "core/config/loader.h"

#include <algorithm>
#include <filesystem>

#include "core/base/text.h"
#include "core/base/time.h"
#include "core/config/check.h"

namespace jobq {
namespace {

std::string format_number(double value) {
    std::string text = std::to_string(value);
    text.erase(text.find_last_not_of('0') + 1);
    if (text.ends_with('.')) text.pop_back();
    return text;
}

// A string where a number or true/false is due, as environment variables give it.
Node retyped(const Node& from, Node::Type type) {
    Node node = from;
    if (type == Node::Type::integer) {
        if (auto value = parse_int(from.text)) {
            node.type = type;
            node.integer = *value;
        }
    } else if (type == Node::Type::boolean) {
        if (from.text == "true" || from.text == "false") {
            node.type = type;
            node.boolean = from.text == "true";
        }
    }
    return node;
}

}  // namespace

const Member* Node::find(std::string_view name) const {
    for (const auto& member : members)
        if (member.name == name) return &member;
    return nullptr;
}

std::string_view kind_name(Node::Type type) {
    switch (type) {
        case Node::Type::text:
            return "a string";
        case Node::Type::integer:
            return "a whole number";
        case Node::Type::number:
            return "a fraction";
        case Node::Type::boolean:
            return "true or false";
        case Node::Type::list:
            return "a list";
        case Node::Type::table:
            return "a table";
        case Node::Type::date:
            return "a date";
    }
    return "";
}

void LoadState::error(const Place& place, std::string text) {
    loaded.errors.push_back({place.source, place.line, place.column, std::move(text)});
}

void LoadState::warn(const Place& place, std::string text) {
    loaded.warnings.push_back({place.source, place.line, place.column, std::move(text)});
}

Loader::Loader(LoadState& state, const Node& root, std::string base, bool from_text)
    : state_(state), base_(std::move(base)), from_text_(from_text) {
    frames_.push_back({&root, "", {}});
}

void Loader::finish() {
    leave();
}

bool Loader::enter(std::string_view name, bool) {
    const Node* node = take(name, Node::Type::table, "a section");
    if (!node) return false;
    std::string path = join_path(frames_.back().path, name);
    frames_.push_back({node, std::move(path), {}});
    return true;
}

void Loader::leave() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    std::vector<std::string_view> known(frame.known.begin(), frame.known.end());
    for (const auto& member : frame.node->members) {
        if (std::find(known.begin(), known.end(), member.name) != known.end()) continue;
        std::string text = "unknown key " + shown(member.name);
        if (!frame.path.empty()) text += " in [" + frame.path + "]";
        if (auto near = nearest(member.name, known); !near.empty())
            text += "; did you mean " + shown(near) + "?";
        state_.error(member.place, std::move(text));
    }
}

std::vector<std::string> Loader::children(const std::vector<std::string>&) {
    Frame& frame = frames_.back();
    std::vector<std::string> names;
    for (const auto& member : frame.node->members) {
        if (auto problem = check_text(TextRule::name, member.name); !problem.empty()) {
            state_.error(member.place, "the name " + shown(member.name) + " " + problem);
            frame.known.push_back(member.name);
        } else {
            names.push_back(member.name);
        }
    }
    return names;
}

const Node* Loader::take(std::string_view key) {
    Frame& frame = frames_.back();
    frame.known.emplace_back(key);
    const Member* member = frame.node->find(key);
    if (!member) return nullptr;
    // A section stands where its name stands; toml++ has no place for one made by [a.b] alone.
    bool section = member->value.type == Node::Type::table;
    const Place& place = section ? member->place : member->value.place;
    std::string path = join_path(frame.path, key);
    state_.places[path] = place;
    if (!section) state_.loaded.origin[path] = place.origin();
    return &member->value;
}

const Node* Loader::take(std::string_view key, Node::Type type, std::string_view expected) {
    const Node* node = take(key);
    if (!node || node->type == type) return node;
    wrong(*node, key, expected);
    return nullptr;
}

void Loader::wrong(const Node& node, std::string_view key, std::string_view expected) {
    std::string found =
        node.type == Node::Type::text ? shown(node.text) : std::string(kind_name(node.type));
    state_.error(node.place,
                 std::string(key) + " must be " + std::string(expected) + ", not " + found);
}

std::string Loader::resolve(const std::string& path) const {
    if (path.empty() || path.starts_with('/') || path.starts_with('{')) return path;
    return (std::filesystem::path(base_) / path).lexically_normal().string();
}

void Loader::text(std::string_view key, std::string& field, TextRule rule) {
    const Node* node = take(key, Node::Type::text, "a string");
    if (!node) return;
    bool bare = node->text.find('/') == std::string::npos;
    bool path = rule == TextRule::path || (rule == TextRule::program && !bare);
    // A shell's user means the directory they are in; a file can't know it.
    path =
        path || (from_text_ && (rule == TextRule::absolute_path || rule == TextRule::socket_path));
    std::string value = path ? resolve(node->text) : node->text;
    if (auto problem = check_text(rule, value); !problem.empty())
        return state_.error(node->place, std::string(key) + " " + problem);
    field = std::move(value);
}

void Loader::integer(std::string_view key, std::optional<int64_t>& field, Range range) {
    const Node* node = take(key);
    if (!node) return;
    Node value = from_text_ ? retyped(*node, Node::Type::integer) : *node;
    if (value.type != Node::Type::integer) return wrong(value, key, "a whole number");
    if (value.integer < range.low || value.integer > range.high)
        return state_.error(
            node->place, std::string(key) + " must be " + std::to_string(range.low) + " to " +
                             std::to_string(range.high) + ", not " + std::to_string(value.integer));
    field = value.integer;
}

void Loader::duration(std::string_view key, int64_t& field_ms, Range range_ms) {
    const Node* node = take(key, Node::Type::text, "a duration such as \"30s\" or \"5m\"");
    if (!node) return;
    auto value = parse_duration_ms(node->text);
    if (!value) return state_.error(node->place, std::string(key) + ": " + value.error().text);
    if (*value < range_ms.low || *value > range_ms.high)
        return state_.error(
            node->place, std::string(key) + " must be " + format_duration(range_ms.low) + " to " +
                             format_duration(range_ms.high) + ", not " + node->text);
    field_ms = *value;
}

void Loader::size(std::string_view key, int64_t& field_bytes, Range range_bytes) {
    const Node* node = take(key);
    if (!node) return;
    if (node->type != Node::Type::text && node->type != Node::Type::integer)
        return wrong(*node, key, "a size such as \"64KiB\"");
    std::string written =
        node->type == Node::Type::text ? node->text : std::to_string(node->integer);
    auto value = parse_size_bytes(written);
    if (!value) return state_.error(node->place, std::string(key) + ": " + value.error().text);
    if (*value < range_bytes.low || *value > range_bytes.high)
        return state_.error(
            node->place, std::string(key) + " must be " + std::to_string(range_bytes.low) + " to " +
                             std::to_string(range_bytes.high) + " bytes, not " + written);
    field_bytes = *value;
}

void Loader::number(std::string_view key, double& field, double low, double high) {
    const Node* node = take(key);
    if (!node) return;
    if (node->type != Node::Type::number && node->type != Node::Type::integer)
        return wrong(*node, key, "a number");
    double value = node->type == Node::Type::integer ? double(node->integer) : node->number;
    if (!(value >= low && value <= high))
        return state_.error(node->place, std::string(key) + " must be " + format_number(low) +
                                             " to " + format_number(high) + ", not " +
                                             format_number(value));
    field = value;
}

void Loader::boolean(std::string_view key, bool& field) {
    const Node* node = take(key);
    if (!node) return;
    Node value = from_text_ ? retyped(*node, Node::Type::boolean) : *node;
    if (value.type != Node::Type::boolean) return wrong(value, key, "true or false");
    field = value.boolean;
}

void Loader::choice(std::string_view key, std::span<const std::string_view> names,
                    std::optional<size_t>& index) {
    const Node* node = take(key);
    if (!node) return;
    if (node->type == Node::Type::text) {
        auto at = std::find(names.begin(), names.end(), node->text);
        if (at != names.end()) {
            index = size_t(at - names.begin());
            return;
        }
    }
    std::string expected = "one of";
    for (auto name : names)
        expected += " " + std::string(name);
    wrong(*node, key, expected);
}

void Loader::later(std::string_view key, std::string_view what) {
    Frame& frame = frames_.back();
    const Member* member = frame.node->find(key);
    if (!member) return;
    frame.known.emplace_back(key);
    state_.error(member->place, std::string(key) + " (" + std::string(what) +
                                    ") is not available in this version yet; remove the line");
}

}  // namespace jobq
