// Dependencies point one way: the table is layers.txt, which CMake reads too. The includes of a
// file are its folder's row; the symbols of a folder's library are those that it defines itself, or
// that the libraries of its row do.
#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <sstream>

#include "tests/tidy/checks.h"

namespace jobq::tidy {
namespace {

// For tests, which have no library of their own.
constexpr std::string_view kTests =
    "tests/support: core/* core/store/* daemon/* daemon\n"
    "tests: core/* core/store/* daemon/* daemon cli/* cli tests/*\n";

std::string_view folder_of(std::string_view path) {
    const size_t slash = path.rfind('/');
    return slash == path.npos ? "" : path.substr(0, slash);
}

bool is_in(std::string_view path, std::string_view folder) {
    return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

struct Library {
    std::string_view header;               // a prefix of what stands in <>
    std::vector<std::string_view> places;  // prefixes of paths that may include it
    size_t files = SIZE_MAX;               // and at most so many of them
    bool sources_only = true;              // never in a header
};

const std::vector<Library>& libraries() {
    static const std::vector<Library> table{
        {"uv.h", {"daemon/loop/", "daemon/redis/", "tests/support/"}, SIZE_MAX, true},
        {"hiredis/",
         {"daemon/redis/", "cli/import/redis_source.cpp", "tests/support/", "tests/bench/"},
         SIZE_MAX,
         true},
        {"microhttpd.h", {"daemon/http/"}, 1, false},
        {"gnutls/", {"core/tls/", "tests/support/tls_end.cpp"}, 2, false},
        {"curl/", {"daemon/loop/curl.h"}, 1, false},
        {"zlib.h", {"daemon/http/gzip.cpp"}, 1, true},
        {"spdlog/", {"daemon/observe/"}, 1, true},
        {"prometheus/", {"daemon/observe/metrics.cpp"}, 1, true},
        {"gperftools/", {"daemon/observe/profile.cpp"}, 1, true},
        {"CLI/", {"cli/", "daemon/app/options.cpp"}, 3, true},
        {"toml++/", {"core/config/load.cpp"}, 1, true},
        {"simdjson", {"core/json/"}, 1, true},
        {"nlohmann/json.hpp", {"core/json/place.cpp", "tests/"}, SIZE_MAX, true},
        {"catch2/", {"tests/"}, SIZE_MAX, false},
    };
    return table;
}

struct Include {
    std::string path;
    size_t line = 0;
    bool system = false;
};

std::vector<Include> includes_of(const SourceFile& file) {
    std::vector<Include> includes;
    size_t line = 0;
    for (size_t at = 0; at < file.text.size();) {
        size_t end = std::min(file.text.find('\n', at), file.text.size());
        std::string_view text = std::string_view(file.text).substr(at, end - at);
        ++line;
        at = end + 1;
        constexpr std::string_view kDirective = "#include ";
        if (!text.starts_with(kDirective) || text.size() < kDirective.size() + 3) continue;
        char open = text[kDirective.size()];
        size_t close = text.find(open == '<' ? '>' : '"', kDirective.size() + 1);
        if (close == std::string_view::npos) continue;
        includes.push_back(
            {std::string(text.substr(kDirective.size() + 1, close - kDirective.size() - 1)), line,
             open == '<'});
    }
    return includes;
}

bool starts_with_any(std::string_view text, const std::vector<std::string_view>& prefixes) {
    return std::any_of(prefixes.begin(), prefixes.end(),
                       [&](std::string_view prefix) { return text.starts_with(prefix); });
}

void check_file(const SourceFile& file, const Layers& layers, Findings& findings) {
    const Layer& layer = *layers.layer_of(file.path);
    for (const auto& include : includes_of(file)) {
        if (include.system || layers.may_include(layer, include.path)) continue;
        findings.push_back(
            {file.path, include.line, layer.folder + " may not include " + include.path});
    }
}

}  // namespace

Layers::Layers(std::string_view text) {
    std::istringstream lines(std::string(text) + std::string(kTests));
    for (std::string line; std::getline(lines, line);) {
        if (line.empty() || line[0] == '#') continue;
        const bool goes_on = line[0] == ' ' && !rows_.empty();
        const size_t colon = goes_on ? 0 : line.find(':');
        if (colon == line.npos) continue;
        if (!goes_on) rows_.push_back({line.substr(0, colon), {}});
        std::istringstream words(line.substr(colon + 1));
        for (std::string word; words >> word;)
            rows_.back().entries.push_back(word);
    }
}

const Layer* Layers::layer_of(std::string_view path) const {
    const Layer* deepest = nullptr;
    for (const auto& row : rows_)
        if (is_in(path, row.folder) && (!deepest || row.folder.size() > deepest->folder.size()))
            deepest = &row;
    return deepest;
}

bool Layers::names(const Layer& layer, const Layer& other) const {
    return std::any_of(layer.entries.begin(), layer.entries.end(), [&](const std::string& entry) {
        if (entry.ends_with(".h")) return layer_of(entry) == &other;
        if (entry.ends_with("/*"))
            return folder_of(other.folder) == std::string_view(entry).substr(0, entry.size() - 2);
        return entry == other.folder;
    });
}

bool Layers::may_include(const Layer& layer, std::string_view path) const {
    const Layer* other = layer_of(path);
    if (!other || other == &layer) return other != nullptr;
    return std::any_of(layer.entries.begin(), layer.entries.end(), [&](const std::string& entry) {
        if (entry.ends_with(".h")) return entry == path;
        return names({layer.folder, {entry}}, *other);
    });
}

Findings check_layers(const Tree& tree, const Layers& layers) {
    Findings findings;
    for (const auto& file : tree) {
        if (!file.is_cpp()) continue;
        if (layers.layer_of(file.path))
            check_file(file, layers, findings);
        else
            findings.push_back(
                {file.path, 0, "no layer: C++ belongs in core, daemon, cli or tests"});
    }
    return findings;
}

Findings check_circles(const Layers& layers) {
    Findings findings;
    std::set<const Layer*> done;  // leads nowhere but down
    for (size_t before = SIZE_MAX; before != done.size();) {
        before = done.size();
        for (const auto& row : layers.rows()) {
            const auto is_done = [&](const Layer& other) {
                return &other == &row || done.count(&other) || !layers.names(row, other);
            };
            if (std::all_of(layers.rows().begin(), layers.rows().end(), is_done)) done.insert(&row);
        }
    }
    for (const auto& row : layers.rows())
        if (!done.count(&row) && !row.folder.starts_with("tests"))
            findings.push_back({"core/layers.txt", 0, row.folder + " leads back to itself"});
    return findings;
}

Symbols symbols_of(std::string_view nm) {
    Symbols symbols;
    std::istringstream lines{std::string(nm)};
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);  // name, kind, and of a defined one its place
        std::string name, kind;
        if (!(words >> name >> kind) || kind.size() != 1) continue;
        (kind == "U" || kind == "w" ? symbols.wanted : symbols.defined).insert(name);
    }
    for (const auto& name : symbols.defined)
        symbols.wanted.erase(name);
    return symbols;
}

Findings check_symbols(const std::map<std::string, Symbols>& folders, const Layers& layers) {
    Findings findings;
    std::map<std::string, std::vector<const Layer*>> homes;
    for (const auto& [folder, symbols] : folders)
        for (const auto& name : symbols.defined)
            homes[name].push_back(layers.layer_of(folder));
    for (const auto& [folder, symbols] : folders) {
        const Layer* layer = layers.layer_of(folder);
        for (const auto& name : symbols.wanted) {
            const auto home = homes.find(name);
            if (home == homes.end()) continue;  // of the system
            const bool named =
                std::any_of(home->second.begin(), home->second.end(),
                            [&](const Layer* other) { return layers.names(*layer, *other); });
            if (!named)
                findings.push_back(
                    {folder, 0, "it uses " + name + " of " + home->second.front()->folder});
        }
    }
    return findings;
}

Findings check_libraries(const Tree& tree) {
    Findings findings;
    std::map<std::string_view, std::set<std::string>> users;
    for (const auto& file : tree) {
        if (!file.is_cpp()) continue;
        for (const auto& include : includes_of(file)) {
            for (const auto& library : libraries()) {
                if (!include.system || !include.path.starts_with(library.header)) continue;
                users[library.header].insert(file.path);
                if (!starts_with_any(file.path, library.places))
                    findings.push_back(
                        {file.path, include.line, "may not include <" + include.path + ">"});
                if (library.sources_only && file.ends(".h") && !file.in("tests/"))
                    findings.push_back({file.path, include.line,
                                        "<" + include.path + "> is slow to read: only in a .cpp"});
            }
        }
    }
    for (const auto& library : libraries())
        if (users[library.header].size() > library.files)
            for (const auto& path : users[library.header])
                findings.push_back({path, 0,
                                    "<" + std::string(library.header) + "> may be included by " +
                                        std::to_string(library.files) + " files in all"});
    return findings;
}

}  // namespace jobq::tidy
