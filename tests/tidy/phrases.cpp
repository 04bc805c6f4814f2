// Phrases that no native writer uses, in what people read: manual pages, the Markdown files, the
// configuration samples, and the texts of the programs.
#include <array>
#include <cctype>
#include <regex>
#include <string>
#include <vector>

#include "core/base/text.h"
#include "tests/tidy/checks.h"

namespace jobq::tidy {
namespace {

struct Phrase {
    const char* pattern;
    std::string_view instead;
};

// As regular expressions, on one line or one literal at a time.
constexpr std::array<Phrase, 21> kPhrases{{
    {"\\b(?:can't|cannot) be meant\\b", "is not valid"},
    {"\\b[Ll](?:eave|eaving|eft) (?:it|them|this|that|the [a-z]+|[-a-z`]+) away\\b", "omit"},
    {"\\b(?:is|are|was|were|be|been) over(?= "
     "(?:when|while|since|by|and|or|before|after)\\b|[.,;:)]|$)",
     "has finished, has expired, has ended"},
    {"\\bnot over\\b|\\bonce more over\\b", "not finished"},
    {"\\b(?:is|are|was|were) told (?:of|by HTTP)\\b", "receives, is notified"},
    {"(?:^|[.;:] )Who (?![^?]*\\?)", "you, or the noun"},
    {"\\b(?:is|are|was|were) wanted\\b|\\bwanted (?:is|are)\\b", "is required"},
    {"\\bfor so long\\b|\\bkept so long\\b|\\bafter so many\\b", "for this long, after N"},
    {"\\b(?:[a-z]+) of before\\b", "an earlier one"},
    {"\\bbr(?:ought|ings?|inging) (?:in|over)\\b", "imported"},
    {"(?:^|[^.A-Za-z_])[Mm]end(?:s|ed|ing)?\\b", "repaired, fixed"},
    {"\\bor the like\\b", "or a similar one"},
    {"\\bgo(?:es)? on until\\b", "runs until"},
    {"\\blies on the network\\b", "corrupts or delays network traffic"},
    {"\\b[Ww]hat else there (?:was|is)\\b", "alternatives"},
    {"\\bof the same minutes\\b", "measured in the same run"},
    {"\\bfor nothing\\b", "for free"},
    {"\\bjobqd stops:", "jobqd is shutting down"},
    {"\\banew\\b", "again"},
    {"\\bfor want of\\b", "because there is no"},
    {"\\bin the manner of\\b", "similar to, for example"},
}};

const std::vector<std::regex>& patterns() {
    static const std::vector<std::regex> compiled = [] {
        std::vector<std::regex> all;
        for (const auto& phrase : kPhrases)
            all.emplace_back(phrase.pattern, std::regex::ECMAScript | std::regex::optimize);
        return all;
    }();
    return compiled;
}

void check_line(const SourceFile& file, size_t number, const std::string& text,
                Findings& findings) {
    if (text.find(' ') == std::string::npos) return;
    for (size_t i = 0; i < kPhrases.size(); ++i) {
        std::smatch found;
        if (!std::regex_search(text, found, patterns()[i])) continue;
        findings.push_back(
            {file.path, number,
             "\"" + std::string(trim(found.str())) + "\": " + std::string(kPhrases[i].instead)});
    }
}

// Comments of a manual page are for those who write it.
void check_prose(const SourceFile& file, Findings& findings) {
    size_t number = 0;
    for (auto line : split(file.text, '\n')) {
        ++number;
        if (!line.starts_with(".\\\"")) check_line(file, number, std::string(line), findings);
    }
}

// The texts of a program; literals that follow each other are one text.
void check_literals(const SourceFile& file, Findings& findings) {
    const std::string code = code_only(file.text);
    std::string text;
    size_t line = 1, began = 1;
    bool inside = false;
    for (size_t at = 0; at < code.size(); ++at) {
        const char c = code[at];
        if (c == '\n') ++line;
        if (c == '"') {
            inside = !inside;
            if (inside && text.empty()) began = line;
        } else if (inside) {
            text += file.text[at];
        } else if (!std::isspace(static_cast<unsigned char>(c))) {
            check_line(file, began, text, findings);
            text.clear();
        }
    }
}

bool is_prose(const SourceFile& file) {
    return file.in("man/") || file.path == "README.md" || file.path == "CHANGELOG.md" ||
           file.path == "SECURITY.md" || (file.in("config/") && file.ends(".toml"));
}

bool is_program(const SourceFile& file) {
    return file.is_cpp() && (file.in("cli/") || file.in("core/") || file.in("daemon/"));
}

}  // namespace

Findings check_phrases(const Tree& tree) {
    Findings findings;
    for (const auto& file : tree) {
        if (is_prose(file)) check_prose(file, findings);
        if (is_program(file)) check_literals(file, findings);
    }
    return findings;
}

}  // namespace jobq::tidy
