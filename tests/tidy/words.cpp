// What must not stand in any file, and what must stand at the top of each.
#include <array>
#include <cctype>

#include "core/base/text.h"
#include "tests/tidy/checks.h"

namespace jobq::tidy {
namespace {

struct Banned {
    std::string word;
    std::string_view why;
};

// In pieces, so that this file does not break its own rule.
const std::array<Banned, 6>& banned() {
    static const std::array<Banned, 6> words{{
        {std::string("TO") + "DO", "do it, or open an issue"},
        {std::string("FIX") + "ME", "fix it, or open an issue"},
        {std::string("X") + "XX:", "fix it, or open an issue"},
        {std::string("/wo") + "rk/", "a path of one machine"},
        {std::string("/ho") + "me/", "a path of one machine"},
        {std::string("/Us") + "ers/", "a path of one machine"},
    }};
    return words;
}

// A path of one machine starts with its slash: a folder of that name within a path is none.
bool stands_in(std::string_view line, const std::string& word) {
    for (size_t at = 0; (at = line.find(word, at)) != std::string_view::npos; ++at) {
        bool inside = at > 0 && (std::isalnum(static_cast<unsigned char>(line[at - 1])) ||
                                 line[at - 1] == '}' || line[at - 1] == '.');
        if (word[0] != '/' || !inside) return true;
    }
    return false;
}

}  // namespace

Findings check_words(const Tree& tree) {
    Findings findings;
    for (const auto& file : tree) {
        size_t number = 0;
        for (auto line : split(file.text, '\n')) {
            ++number;
            for (const auto& [word, why] : banned())
                if (stands_in(line, word))
                    findings.push_back({file.path, number, word + ": " + std::string(why)});
        }
    }
    return findings;
}

// Each source says at its top what it is; one that has a header of its name may leave it to that.
Findings check_header_comments(const Tree& tree) {
    Findings findings;
    for (const auto& file : tree) {
        if (!file.is_cpp() && !file.is_js()) continue;
        if (file.text.starts_with("// ")) continue;
        std::string header = file.path.substr(0, file.path.rfind('.')) + ".h";
        if (!file.ends(".cpp") || !find_file(tree, header))
            findings.push_back(
                {file.path, 0, "it does not start with a comment that says what it is"});
    }
    return findings;
}

}  // namespace jobq::tidy
