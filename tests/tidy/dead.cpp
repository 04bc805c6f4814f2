// Files that nothing uses: a header no one includes, a script no one calls, a test no one builds.
#include <cctype>
#include <set>

#include "tests/tidy/checks.h"

namespace jobq::tidy {
namespace {

// Does a source of the store name the script, other than the table of answers, which names them
// all? scripts::fetch is not scripts::fetch_throttled.
bool called(const Tree& tree, const std::string& script) {
    const std::string name = "scripts::" + script;
    for (const auto& file : tree) {
        if (!file.in("core/store/") || file.path == "core/store/link/answer_form.cpp") continue;
        for (size_t at = file.text.find(name); at != file.text.npos;
             at = file.text.find(name, at + 1)) {
            const auto next = static_cast<unsigned char>((file.text + ' ')[at + name.size()]);
            if (next != '_' && !std::isalnum(next)) return true;
        }
    }
    return false;
}

bool mentioned(const Tree& tree, std::string_view text, std::string_view folder,
               std::string_view but_in) {
    for (const auto& file : tree)
        if (file.in(folder) && file.path != but_in && file.text.find(text) != std::string::npos)
            return true;
    return false;
}

std::string stem(const std::string& path) {
    size_t slash = path.rfind('/');
    std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
    return name.substr(0, name.rfind('.'));
}

void check_header(const Tree& tree, const SourceFile& file, Findings& findings) {
    std::string own_source = file.path.substr(0, file.path.size() - 2) + ".cpp";
    for (const auto& other : tree)
        // A .cmake script may write a source that includes it.
        if ((other.is_cpp() || other.ends(".cmake")) && other.path != file.path &&
            other.path != own_source && other.text.find("\"" + file.path) != std::string::npos)
            return;
    findings.push_back({file.path, 0, "nothing but its own .cpp includes this header"});
}

void check_script(const Tree& tree, const SourceFile& file, Findings& findings) {
    std::string name = stem(file.path);
    bool library = file.in("core/store/lua/lib/");
    bool used = library ? mentioned(tree, "--@include " + name + "\n", "core/store/lua/", file.path)
                        : called(tree, name);
    if (!used)
        findings.push_back(
            {file.path, 0,
             "no one " + std::string(library ? "includes" : "calls") + " this script"});
}

// The two that nobody imports: the page names one, the build the other.
void check_module(const Tree& tree, const SourceFile& file, Findings& findings) {
    if (file.ends("/app.js") || file.ends(".mjs")) return;
    std::string name = file.path.substr(file.path.rfind('/')) + "\"";
    if (!mentioned(tree, name, "daemon/web/", file.path))
        findings.push_back({file.path, 0, "no module imports this one"});
}

// ctest asks a test program for a test by its name up to a ";", finds none, and calls that a pass;
// a "-" before it would be an option.
void check_names(const SourceFile& file, Findings& findings) {
    constexpr std::string_view kMark = "TEST_CASE(\"";
    for (size_t at = file.text.find(kMark); at != file.text.npos;) {
        at += kMark.size();
        std::string_view name(file.text.data() + at, file.text.find('"', at) - at);
        if (name.find(';') != name.npos || name.starts_with('-'))
            findings.push_back(
                {file.path, 0,
                 "a ';' in a test's name, or a '-' before it: ctest would not run it"});
        at = file.text.find(kMark, at);
    }
}

void check_test(const Tree& tree, const SourceFile& file, Findings& findings) {
    check_names(file, findings);
    const SourceFile* cmake = find_file(tree, "tests/CMakeLists.txt");
    std::string folder = file.path.substr(6, file.path.find('/', 6) - 6);
    bool built = cmake && (cmake->text.find("jobq_tests(" + folder + " ") != std::string::npos ||
                           cmake->text.find("/" + folder + "/*.cpp") != std::string::npos);
    if (!built)
        findings.push_back({file.path, 0, "tests/CMakeLists.txt does not build tests/" + folder});
}

}  // namespace

Findings check_dead_files(const Tree& tree) {
    Findings findings;
    for (const auto& file : tree) {
        if (file.ends(".h")) check_header(tree, file, findings);
        if (file.ends(".lua")) check_script(tree, file, findings);
        if (file.in("daemon/web/") && file.is_js()) check_module(tree, file, findings);
        if (file.in("tests/") && file.ends(".cpp")) check_test(tree, file, findings);
    }
    return findings;
}

}  // namespace jobq::tidy
