// Classes: how much each shows, and that a name means one of them.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "tests/tidy/checks.h"
#include "tests/tidy/syntax.h"

namespace jobq::tidy {
namespace {

constexpr size_t kFunctions = 15;

struct Class {
    std::string name;
    size_t line = 0;
    bool nested = false;
    std::set<std::string> functions;  // public ones, each name once
};

bool is_name(std::string_view token) {
    const char c = token.empty() ? ' ' : token[0];
    return ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z') || c == '_';
}

// Reads the classes of a header, token by token.
class Reader {
  public:
    explicit Reader(std::string_view code) : tokens_(tokenize(code)) {}

    std::vector<Class> run() {
        while (at_ < tokens_.size())
            if (!read_class(false)) ++at_;
        return std::move(classes_);
    }

  private:
    std::string_view text(size_t at) const { return at < tokens_.size() ? tokens_[at].text : ""; }

    // Behind the bracket that closes the one at `at`.
    size_t behind(size_t at) const {
        int depth = 0;
        for (; at < tokens_.size(); ++at) {
            const std::string_view token = text(at);
            if (token == "(" || token == "{" || token == "[") ++depth;
            if (token == ")" || token == "}" || token == "]") --depth;
            if (depth == 0) return at + 1;
        }
        return at;
    }

    // A class that is defined here: its head up to "{".
    bool read_class(bool nested) {
        const std::string_view word = text(at_);
        const std::string_view before = at_ == 0 ? "" : text(at_ - 1);
        if ((word != "class" && word != "struct") || before == "enum" || before == "<" ||
            before == "," || before == "friend" || !is_name(text(at_ + 1)))
            return false;
        std::string name(text(at_ + 1));  // "HttpServer::Impl" is one too
        size_t open = at_ + 2;
        while (text(open) == "::") {
            name.append("::").append(text(open + 1));
            open += 2;
        }
        while (open < tokens_.size() && text(open) != "{" && text(open) != ";" &&
               text(open) != ")" && text(open) != "=")
            ++open;
        if (text(open) != "{") return false;
        classes_.push_back({name, tokens_[at_].line, nested, {}});
        const size_t self = classes_.size() - 1, end = behind(open);
        at_ = open + 1;
        read_members(self, word == "struct", end - 1);
        at_ = end;
        return true;
    }

    void read_members(size_t self, bool is_public, size_t end) {
        while (at_ < end) {
            const std::string_view word = text(at_);
            if (text(at_ + 1) == ":" &&
                (word == "public" || word == "protected" || word == "private")) {
                is_public = word == "public";
                at_ += 2;
            } else if (!read_class(true)) {
                read_member(self, is_public);
            }
        }
    }

    // A declaration, up to its ";" or behind its body.
    void read_member(size_t self, bool is_public) {
        int angles = 0;
        bool known = false;  // what it is
        std::string_view function;
        static constexpr std::array<std::string_view, 5> kNone{"using", "friend", "static_assert",
                                                               "enum", "typedef"};
        known = std::find(kNone.begin(), kNone.end(), text(at_)) != kNone.end();
        for (;;) {
            const std::string_view token = text(at_);
            if (token.empty() || token == ";") break;
            if (token == "<") ++angles;
            if (token == ">") --angles;
            if (token == "=" || token == "operator" || token == "~") known = true;
            if (token == "(" && angles <= 0 && !known) {
                known = true;
                if (is_name(text(at_ - 1))) function = text(at_ - 1);
            }
            if (token == "{" && !function.empty() && text(at_ - 1) != "=") {
                at_ = behind(at_);
                if (text(at_) == "," || text(at_) == "{") continue;  // of what is initialized
                break;
            }
            at_ = token == "(" || token == "{" || token == "[" ? behind(at_) : at_ + 1;
        }
        if (text(at_) == ";") ++at_;
        if (is_public && !function.empty() && function != classes_[self].name)
            classes_[self].functions.insert(std::string(function));
    }

    std::vector<Token> tokens_;
    size_t at_ = 0;
    std::vector<Class> classes_;
};

bool is_watched(const SourceFile& file) {
    return file.ends(".h") && (file.in("core/") || file.in("daemon/") || file.in("cli/"));
}

std::string file_name(const std::string& path) {
    return path.substr(path.rfind('/') + 1);
}

}  // namespace

Findings check_public_functions(const Tree& tree, const std::map<std::string, size_t>& allowed) {
    Findings findings;
    std::set<std::string> needed;
    for (const auto& file : tree) {
        if (!is_watched(file)) continue;
        for (const auto& one : Reader(code_only(file.text)).run()) {
            const auto exception = allowed.find(one.name);
            const size_t limit = exception == allowed.end() ? kFunctions : exception->second;
            const size_t count = one.functions.size();
            if (count > kFunctions) needed.insert(one.name);
            if (count > limit)
                findings.push_back({file.path, one.line,
                                    one.name + " has " + std::to_string(count) +
                                        " public functions; the limit is " +
                                        std::to_string(limit)});
            else if (count < limit && exception != allowed.end())
                findings.push_back({file.path, one.line,
                                    one.name + " has " + std::to_string(count) +
                                        " public functions: lower its exception to that"});
        }
    }
    for (const auto& [name, limit] : allowed)
        if (!needed.count(name))
            findings.push_back({"tests/tidy/tidy_test.cpp", 0, name + " needs no exception"});
    return findings;
}

Findings check_names(const Tree& tree, const std::set<std::string>& allowed) {
    Findings findings;
    std::map<std::string, std::set<std::string>> homes;  // of classes and header files
    for (const auto& file : tree) {
        if (!is_watched(file)) continue;
        homes[file_name(file.path)].insert(file.path);
        for (const auto& one : Reader(code_only(file.text)).run())
            if (!one.nested) homes[one.name].insert(file.path);
    }
    for (const auto& [name, paths] : homes)
        if (paths.size() > 1 && !allowed.count(name))
            for (const auto& path : paths)
                findings.push_back({path, 0, name + " has another home too"});
    for (const auto& name : allowed)
        if (homes[name].size() < 2)
            findings.push_back({"tests/tidy/tidy_test.cpp", 0, name + " needs no exception"});
    return findings;
}

}  // namespace jobq::tidy
