// The verbs `config check` and `config show`: the daemon's configuration, read as jobqd reads it,
// without a daemon.
#include "core/config/config.h"

#include <sys/stat.h>
#include <unistd.h>

#include <map>

#include "cli/line/invocation.h"
#include "cli/line/verb_list.h"
#include "core/json/writer.h"

namespace jobq::cli {
namespace {

std::map<std::string, std::string> environment() {
    std::map<std::string, std::string> all;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const size_t equals = text.find('=');
        if (equals != std::string_view::npos)
            all.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
    return all;
}

// The named files, or those jobqd would read when started by this user.
Answer<Loaded> load(const Args& args) {
    for (const auto& path : args.words) {
        struct stat found {};

        if (::stat(path.c_str(), &found) != 0 || S_ISDIR(found.st_mode) ||
            ::access(path.c_str(), R_OK) != 0)
            return give_up(kNoInput, "'" + printable(path) + "' is not a readable file");
    }
    const auto variables = environment();
    auto files = args.words;
    if (files.empty()) files = default_config_files(geteuid() == 0, variables);
    return load_config(files, variables);
}

Answer<int> with_errors(Output& out, const Loaded& loaded) {
    if (!out.is_text()) {
        Records records(out);
        for (const auto& error : loaded.errors) {
            auto one = JsonWriter::object();
            one.field("file", error.file).field("line", error.line);
            records.add(one.field("column", error.column).field("text", error.text).done());
        }
        records.end();
    } else {
        for (const auto& error : loaded.errors)
            out.raw_error(error.to_string() + "\n");
    }
    if (loaded.errors.empty()) return kDone;
    const size_t count = loaded.errors.size();
    return give_up(
        info(ErrorCode::config).exit_status,
        "the configuration has " + std::to_string(count) + (count == 1 ? " error" : " errors"),
        "jobqd can't start with this configuration; jobqd.toml(5) describes every key");
}

Answer<int> run_check(Invocation& invocation) {
    const auto loaded = load(invocation.args);
    if (!loaded) return tl::unexpected(loaded.error());
    const auto status = with_errors(invocation.out, *loaded);
    if (!status) return status;
    if (!invocation.out.is_text() || invocation.out.quiet()) return status;
    if (loaded->files.empty()) {
        invocation.out.line("no configuration file: the built-in defaults are valid");
    } else {
        for (const auto& file : loaded->files)
            invocation.out.line(file + ": valid");
    }
    return status;
}

Answer<int> run_show(Invocation& invocation) {
    const auto loaded = load(invocation.args);
    if (!loaded) return tl::unexpected(loaded.error());
    if (!loaded->errors.empty()) return with_errors(invocation.out, *loaded);
    if (invocation.out.is_text()) {
        invocation.out.raw(print_config(*loaded));
        return kDone;
    }
    auto shown = JsonWriter::object();
    shown.field("files", loaded->files).field("toml", print_config(*loaded));
    invocation.out.line(shown.done());
    return kDone;
}

}  // namespace

const Verb kConfigCheck{.name = "config check",
                        .usage = "[FILE...]",
                        .summary = "Check a configuration of jobqd and report every error",
                        .examples = "jobq config check /etc/jobq/jobqd.toml",
                        .options = {},
                        .more = {},
                        .max_words = -1,
                        .words = Takes::file,
                        .run = run_check};

const Verb kConfigShow{.name = "config show",
                       .usage = "[FILE...]",
                       .summary = "Show every effective value and where it comes from",
                       .examples = "jobq config show",
                       .options = {},
                       .more = {},
                       .max_words = -1,
                       .words = Takes::file,
                       .run = run_show};

}  // namespace jobq::cli
