// The head of a script is its interface: name, KIND, KEYS, ARGV, RETURNS. It must agree with what
// the script uses, and its kind with the flags by which Redis runs it.
#include <algorithm>
#include <cctype>
#include <optional>

#include "core/base/text.h"
#include "tests/tidy/checks.h"

namespace jobq::tidy {
namespace {

// The line that starts with `start`, without it.
std::optional<std::string> header_line(const SourceFile& file, const std::string& start) {
    for (auto line : split(file.text, '\n'))
        if (line.starts_with(start)) return std::string(trim(line.substr(start.size())));
    return std::nullopt;
}

// The highest n of `table`[n] with a literal n.
size_t highest_index(const std::string& text, const std::string& table) {
    size_t highest = 0;
    for (size_t at = 0; (at = text.find(table + "[", at)) != std::string::npos; ++at) {
        size_t digits = at + table.size() + 1;
        size_t close = text.find(']', digits);
        auto n = parse_int(std::string_view(text).substr(digits, close - digits));
        highest = std::max(highest, size_t(n.value_or(0)));
    }
    return highest;
}

// Names up to the first repeated part: "now_ms bucket n [jid record]*n" has 3, and more follow.
struct Declared {
    size_t names = 0;
    bool open = false;
};

Declared declared(const std::string& line) {
    Declared result;
    for (auto word : split(line, ' ')) {
        if (word.empty()) continue;
        if (word.starts_with('[') || word.ends_with("...")) {
            result.open = true;
            break;
        }
        if (std::isalpha(static_cast<unsigned char>(word[0]))) ++result.names;  // not "0/1"
    }
    return result;
}

void check_table(const SourceFile& file, const std::string& table, Findings& findings) {
    auto line = header_line(file, "-- " + table + ":");
    if (!line) return findings.push_back({file.path, 0, "its head has no line " + table});
    size_t used = highest_index(file.text, table);
    Declared names = declared(*line);
    if (!names.open && used > names.names)
        findings.push_back({file.path, 0,
                            "it uses " + table + "[" + std::to_string(used) + "], its head names " +
                                std::to_string(names.names)});
    bool whole = file.text.find("#" + table) != std::string::npos ||
                 file.text.find("(" + table) != std::string::npos ||
                 file.text.find(table + "[i") != std::string::npos;
    if (!names.open && !whole && used < names.names)
        findings.push_back({file.path, 0,
                            "its head names " + std::to_string(names.names) + " " + table +
                                ", it uses " + std::to_string(used)});
}

// What only reads stands in look/, and nothing else does. What adds is refused when memory is
// short, by Redis itself; reading is what Redis lets nobody write in; taking is moving that jobqd
// refuses earlier.
void check_kind(const SourceFile& file, Findings& findings) {
    const std::string kind = header_line(file, "-- KIND:").value_or("");
    const std::string flags(std::string_view(file.text).substr(0, file.text.find('\n')));
    const std::string_view due = kind == "reads"  ? "#!lua flags=no-writes,allow-oom"
                                 : kind == "adds" ? "#!lua"
                                 : kind == "moves" || kind == "takes" ? "#!lua flags=allow-oom"
                                                                      : "";
    const bool looks = file.in("core/store/lua/look/");
    if (looks != (kind == "reads"))
        findings.push_back(
            {file.path, 0, "what reads stands in core/store/lua/look, no other does"});
    if (due.empty())
        findings.push_back({file.path, 0, "its head has no KIND: reads, moves, takes or adds"});
    else if (flags != due)
        findings.push_back(
            {file.path, 1, "a script that " + kind + " starts with " + std::string(due)});
}

}  // namespace

Findings check_lua(const Tree& tree) {
    Findings findings;
    for (const auto& file : tree) {
        if (!file.ends(".lua") || file.in("core/store/lua/lib/")) continue;
        size_t slash = file.path.rfind('/');
        std::string name = file.path.substr(slash + 1, file.path.size() - slash - 5);
        if (header_line(file, "-- " + name + ":").value_or("").empty())
            findings.push_back(
                {file.path, 0, "its head does not say what it does: -- " + name + ": ..."});
        check_kind(file, findings);
        check_table(file, "KEYS", findings);
        check_table(file, "ARGV", findings);
        if (header_line(file, "-- RETURNS:").value_or("").empty())
            findings.push_back({file.path, 0, "its head has no line RETURNS"});
    }
    return findings;
}

}  // namespace jobq::tidy
