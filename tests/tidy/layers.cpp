// Dependencies point one way. The table says which folders a folder may include; a file of a folder
// that is not in it has no business being there.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "tests/tidy/checks.h"

namespace jobq::tidy {
namespace {

struct Layer {
    std::string_view folder;
    std::vector<std::string_view> may_include;  // prefixes of paths; its own folder always
};

// The first row whose folder is a prefix of the path counts.
const std::vector<Layer>& layers() {
    static const std::vector<Layer> table{
        {"core/base/", {}},
        {"core/async/", {"core/base/"}},
        {"core/job/", {"core/base/"}},
        {"core/tls/", {"core/base/"}},
        {"core/net/", {"core/base/"}},
        {"core/config/", {"core/base/", "core/job/", "core/net/"}},
        {"core/policy/", {"core/base/", "core/job/", "core/config/config.h"}},
        {"core/profile/", {"core/base/"}},
        {"core/protocol/", {"core/base/", "core/job/", "core/config/config.h"}},
        {"core/store/link/", {"core/base/", "core/async/", "core/job/", "core/store/"}},
        {"core/store/doctor/",
         {"core/base/", "core/async/", "core/job/", "core/store/link/", "core/store/"}},
        {"core/store/redis/", {"core/base/", "core/async/", "core/job/", "core/store/"}},
        {"core/store/", {"core/base/", "core/async/", "core/job/"}},
        {"cli/base/", {"core/base/", "core/protocol/"}},
        {"cli/terminal/", {"cli/base/", "core/base/", "core/job/"}},
        {"cli/input/", {"cli/base/", "core/base/"}},
        {"cli/link/", {"cli/base/", "core/base/", "core/net/", "core/protocol/", "core/tls/"}},
        {"cli/line/", {"cli/base/", "cli/link/", "cli/terminal/", "core/base/"}},
        {"cli/follow/",
         {"cli/base/", "cli/input/", "cli/line/", "cli/link/", "cli/terminal/", "core/base/",
          "core/job/"}},
        {"cli/enqueue/",
         {"cli/base/", "cli/follow/", "cli/input/", "cli/line/", "cli/terminal/", "core/base/",
          "core/job/"}},
        {"cli/verbs/",
         {"cli/base/", "cli/enqueue/", "cli/input/", "cli/line/", "cli/terminal/", "core/base/",
          "core/config/", "core/job/"}},
        {"cli/loadgen/",
         {"cli/base/", "cli/enqueue/", "cli/line/", "cli/link/", "cli/terminal/", "core/base/",
          "core/job/", "core/protocol/"}},
        {"cli/top/", {"cli/base/", "cli/line/", "cli/terminal/", "core/base/"}},
        {"cli/profile/",
         {"cli/base/", "cli/line/", "cli/terminal/", "core/base/", "core/profile/"}},
        {"cli/import/", {"cli/base/", "cli/line/", "cli/terminal/", "core/base/", "core/net/"}},
        {"cli/",
         {"cli/", "core/base/", "core/job/", "core/net/", "core/profile/", "core/protocol/",
          "core/config/", "core/tls/"}},
        {"daemon/loop/", {"core/base/", "core/async/", "core/net/", "core/tls/"}},
        {"daemon/redis/",
         {"core/base/", "core/async/", "core/net/", "core/store/link/redis_link.h",
          "core/store/link/redis_errors.h", "core/store/storage_gate.h", "core/config/config.h",
          "daemon/loop/", "daemon/observe/log.h"}},
        {"daemon/observe/", {"core/base/", "core/async/", "core/job/"}},
        {"daemon/runner/", {"core/", "daemon/loop/", "daemon/observe/"}},
        {"daemon/work/", {"core/", "daemon/loop/", "daemon/observe/"}},
        {"daemon/chores/", {"core/", "daemon/work/", "daemon/observe/"}},
        {"daemon/http/",
         {"core/", "daemon/loop/", "daemon/work/", "daemon/observe/", "daemon/server/"}},
        {"daemon/server/", {"core/", "daemon/loop/", "daemon/work/", "daemon/observe/"}},
        {"daemon/", {"core/", "daemon/"}},  // the application: it puts the parts together
        {"tests/support/", {"core/", "daemon/"}},
        {"tests/", {"core/", "daemon/", "cli/", "tests/"}},
    };
    return table;
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
        {"spdlog/", {"daemon/observe/"}, 1, true},
        {"prometheus/", {"daemon/observe/metrics.cpp"}, 1, true},
        {"gperftools/", {"daemon/observe/profile.cpp"}, 1, true},
        {"CLI/", {"cli/", "daemon/"}, 3, true},
        {"toml++/", {"core/config/load.cpp"}, 1, true},
        {"simdjson", {"core/", "daemon/"}, SIZE_MAX, true},
        {"nlohmann/json.hpp", {"core/", "daemon/", "cli/", "tests/"}, SIZE_MAX, true},
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

void check_file(const SourceFile& file, const Layer& layer, Findings& findings) {
    for (const auto& include : includes_of(file)) {
        bool own = include.path.starts_with(layer.folder);
        if (include.system || own || starts_with_any(include.path, layer.may_include)) continue;
        findings.push_back({file.path, include.line,
                            std::string(layer.folder) + " may not include " + include.path});
    }
}

}  // namespace

Findings check_layers(const Tree& tree) {
    Findings findings;
    for (const auto& file : tree) {
        if (!file.is_cpp()) continue;
        auto row = std::find_if(layers().begin(), layers().end(),
                                [&](const Layer& layer) { return file.in(layer.folder); });
        if (row == layers().end())
            findings.push_back(
                {file.path, 0, "no layer: C++ belongs in core, daemon, cli or tests"});
        else
            check_file(file, *row, findings);
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
