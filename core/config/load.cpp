// From files to a Config: reads each, turns it into Nodes (the only place that knows toml++), lets
// the Loader fill in what they name, then checks the whole. Every error is collected; a file with a
// syntax error contributes that error alone.
#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/base/file.h"
#include "core/base/text.h"
#include "core/config/check.h"
#include "core/config/environment.h"
#include "core/config/loader.h"

namespace jobq {
namespace {

namespace fs = std::filesystem;

constexpr size_t kFileBytesMax = 4 << 20;
constexpr size_t kLineBytesMax = 16 << 10;

Place place_at(const std::string& file, const toml::source_region& region) {
    return {file, int(region.begin.line), int(region.begin.column)};
}

Node node_from(const toml::node& from, const std::string& file) {
    Node node;
    node.place = place_at(file, from.source());
    if (auto* table = from.as_table()) {
        node.type = Node::Type::table;
        for (const auto& [key, value] : *table)
            node.members.push_back(
                {std::string(key.str()), place_at(file, key.source()), node_from(value, file)});
    } else if (auto* list = from.as_array()) {
        node.type = Node::Type::list;
        for (const auto& item : *list)
            node.items.push_back(node_from(item, file));
    } else if (auto* text = from.as_string()) {
        node.type = Node::Type::text;
        node.text = text->get();
    } else if (auto* integer = from.as_integer()) {
        node.type = Node::Type::integer;
        node.integer = integer->get();
    } else if (auto* number = from.as_floating_point()) {
        node.type = Node::Type::number;
        node.number = number->get();
    } else if (auto* boolean = from.as_boolean()) {
        node.type = Node::Type::boolean;
        node.boolean = boolean->get();
    } else {
        node.type = Node::Type::date;
    }
    return node;
}

// A header or key of [a.a.a...] nests as deep as its line is long, and toml++ recurses.
bool line_too_long(std::string_view toml) {
    for (auto line : split(toml, '\n'))
        if (line.size() > kLineBytesMax) return true;
    return false;
}

std::optional<std::string> read_whole(const std::string& path, LoadState& state) {
    std::error_code failed;
    if (fs::is_directory(path, failed)) {
        state.error({path}, "is a directory, not a configuration file");
        return std::nullopt;
    }
    auto text = read_whole_file(path, kFileBytesMax);
    if (text) return std::move(*text);
    if (text.error().code == ErrorCode::too_large) {
        state.error({path}, "is larger than 4 MiB, so it is probably not a configuration file");
    } else {
        state.error({path}, text.error().text.substr(path.size() + 1));
    }
    return std::nullopt;
}

void load_text(LoadState& state, const std::string& name, const std::string& toml,
               const std::string& base) {
    if (!is_utf8(toml)) return state.error({name}, "is not UTF-8 text");
    if (line_too_long(toml)) return state.error({name}, "has a line of more than 16 KiB");
    try {
        toml::table table = toml::parse(toml, name);
        Node root = node_from(table, name);
        Loader loader(state, root, base, false);
        visit_config(state.loaded.config, loader);
        loader.finish();
    } catch (const toml::parse_error& error) {
        state.error(place_at(name, error.source()), std::string(error.description()));
    } catch (const std::exception& error) {
        state.error({name}, std::string("can't be read: ") + error.what());
    }
}

void load_file(LoadState& state, const std::string& path) {
    auto text = read_whole(path, state);
    if (!text) return;
    state.loaded.files.push_back(path);
    std::error_code failed;
    load_text(state, path, *text, fs::absolute(path, failed).parent_path().string());
}

// In the order of the files, then of the places in each.
Loaded finished(LoadState state) {
    check_config(state);
    std::map<std::string, size_t> order;
    for (const auto& error : state.loaded.errors)
        order.emplace(error.file, order.size());
    auto before = [&](const ConfigError& a, const ConfigError& b) {
        return std::tuple(order[a.file], a.line, a.column) <
               std::tuple(order[b.file], b.line, b.column);
    };
    std::stable_sort(state.loaded.errors.begin(), state.loaded.errors.end(), before);
    return std::move(state.loaded);
}

}  // namespace

std::string ConfigError::to_string() const {
    std::string place = file;
    if (line) place += ":" + std::to_string(line) + ":" + std::to_string(column);
    return place + ": " + text;
}

Loaded load_config(const std::vector<std::string>& files,
                   const std::map<std::string, std::string>& environment,
                   const std::map<std::string, std::string>& flags) {
    LoadState state;
    for (const auto& file : files)
        load_file(state, file);
    load_environment(state, environment);
    load_flags(state, flags);
    return finished(std::move(state));
}

Loaded load_config_text(const std::string& name, const std::string& toml) {
    LoadState state;
    std::error_code failed;
    load_text(state, name, toml, fs::current_path(failed).string());
    state.loaded.files.push_back(name);
    return finished(std::move(state));
}

}  // namespace jobq
