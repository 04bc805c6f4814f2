// The manual names every verb, every error and every configuration key, and no others.
#include <algorithm>
#include <regex>
#include <set>

#include "core/base/error.h"
#include "core/protocol/verbs.h"
#include "tests/tidy/checks.h"

namespace jobq::tidy {
namespace {

constexpr std::string_view kProtocolPage = "man/jobq-protocol.7", kConfigPage = "man/jobqd.toml.5",
                           kSample = "config/jobqd.toml";

bool has_line(const std::string& text, const std::string& line) {
    return ("\n" + text + "\n").find("\n" + line + "\n") != std::string::npos;
}

// Lines of `page` that start with `start`, without it, up to the first space.
std::set<std::string> items(const std::string& page, const std::string& start) {
    std::set<std::string> result;
    std::regex line("(?:^|\n)" + start + "(\\S+)");
    for (std::sregex_iterator at(page.begin(), page.end(), line), end; at != end; ++at)
        result.insert((*at)[1]);
    return result;
}

// Its row in the table of all verbs.
std::string row_of(const VerbInfo& verb) {
    std::string line = ".It " + std::string(verb.jobq() ? "JOBQ " : "") + std::string(verb.name);
    for (std::string_view cell :
         {name(verb.scope), std::string_view(verb.has(kBulkLine) ? "16 MiB" : "1 MiB"),
          std::string_view(verb.has(kStores)       ? "refused"
                           : verb.has(kAtShutdown) ? "served"
                                                   : "opted in"),
          std::string_view(verb.has(kRepeatable) ? "yes" : "no"), verb.help})
        line.append(" Ta ").append(cell);
    return line;
}

const SourceFile* page(const Tree& tree, std::string_view path, Findings& findings) {
    const SourceFile* file = find_file(tree, path);
    if (!file) findings.push_back({std::string(path), 0, "it is not there"});
    return file;
}

// Every key of the sample, set or commented out, as its path with NAME for a free part.
std::set<std::string> sample_keys(const std::string& toml) {
    std::set<std::string> keys;
    std::string section;
    std::regex header("^#?\\[([^\\]]+)\\].*"), key("^#?([A-Za-z_]+) = .*");
    std::regex named("^(pool|type|queue)\\.[^.]+");
    std::istringstream in(toml);
    for (std::string line; std::getline(in, line);) {
        std::smatch match;
        if (std::regex_match(line, match, header))
            section = std::regex_replace(match[1].str(), named, "$1.NAME");
        else if (std::regex_match(line, match, key))
            keys.insert((section.empty() ? "" : section + ".") + match[1].str());
    }
    return keys;
}

}  // namespace

Findings check_verbs_documented(const Tree& tree) {
    Findings findings;
    const SourceFile* file = page(tree, kProtocolPage, findings);
    if (!file) return findings;
    auto faktory = items(file->text, "\\.It Ic "), own = items(file->text, "\\.It Ic JOBQ ");
    faktory.erase("JOBQ");
    for (const auto& verb : kVerbs) {
        if (verb.name == "JOBQ") continue;
        if (!has_line(file->text, row_of(verb)))
            findings.push_back({file->path, 0, "no line \"" + row_of(verb) + "\""});
        if (!(verb.jobq() ? own : faktory).erase(std::string(verb.name)))
            findings.push_back({file->path, 0,
                                "no \".It Ic " + std::string(verb.jobq() ? "JOBQ " : "") +
                                    std::string(verb.name) + "\""});
    }
    for (const auto& verb : faktory)
        findings.push_back({file->path, 0, verb + " is not a verb"});
    for (const auto& verb : own)
        findings.push_back({file->path, 0, "JOBQ " + verb + " is not a verb"});
    return findings;
}

Findings check_errors_documented(const Tree& tree) {
    Findings findings;
    const SourceFile* file = page(tree, kProtocolPage, findings);
    if (!file) return findings;
    for (const auto& row : error_table()) {
        std::string line = ".It " + std::string(row.name) + " Ta " +
                           std::to_string(row.http_status) + " Ta " +
                           std::to_string(row.exit_status) + " Ta " +
                           (row.retryable ? "yes" : "no") + " Ta " + std::string(row.meaning);
        if (!has_line(file->text, line))
            findings.push_back({file->path, 0, "no line \"" + line + "\""});
    }
    return findings;
}

Findings check_keys_documented(const Tree& tree, const std::vector<std::string>& keys) {
    Findings findings;
    const SourceFile* manual = page(tree, kConfigPage, findings);
    const SourceFile* sample = page(tree, kSample, findings);
    if (!manual || !sample) return findings;
    auto in_manual = items(manual->text, "\\.It Ic "), in_sample = sample_keys(sample->text);
    for (const auto& key : keys) {
        if (!in_manual.erase(key))
            findings.push_back({manual->path, 0, "no \".It Ic " + key + "\""});
        if (!in_sample.erase(key)) findings.push_back({sample->path, 0, "it does not show " + key});
    }
    for (const auto& key : in_manual)
        findings.push_back({manual->path, 0, key + " is not a key"});
    for (const auto& key : in_sample)
        findings.push_back({sample->path, 0, key + " is not a key"});
    return findings;
}

}  // namespace jobq::tidy
