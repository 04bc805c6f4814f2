// The verbs `profile cpu|heap`: a profile of the live daemon as a list of functions, folded stacks,
// a flame graph, or for pprof and its kin.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <map>
#include <set>

#include "cli/base/interrupt.h"
#include "cli/line/invocation.h"
#include "cli/line/verb_list.h"
#include "cli/profile/flame_graph.h"
#include "cli/profile/symbols.h"
#include "core/base/base64.h"
#include "core/base/limits.h"
#include "core/profile/pprof.h"
#include "core/profile/raw_profile.h"

namespace jobq::cli {
namespace {

constexpr std::array kOptions{
    Option{"--duration", "", "DURATION", "profile the daemon for this long (default: 10s)"},
    Option{"--seconds", "", "N", "like --duration, in whole seconds"},
    Option{"--format", "", "FORMAT",
           "text, folded, svg, pb or pprof (default: text, or by the suffix of FILE)",
           Takes::profile_format},
    Option{"--out", "", "FILE", "write to this file instead of standard output", Takes::file},
};
constexpr size_t kFunctionsShown = 30;

enum class Form : uint8_t { text, folded, svg, pb, pprof };

struct FormName {
    std::string_view name;
    Form form;
};

constexpr std::array kForms{FormName{"text", Form::text}, FormName{"folded", Form::folded},
                            FormName{"svg", Form::svg}, FormName{"pb", Form::pb},
                            FormName{"pprof", Form::pprof}};
constexpr std::array kSuffixes{FormName{".txt", Form::text},    FormName{".folded", Form::folded},
                               FormName{".svg", Form::svg},     FormName{".pb", Form::pb},
                               FormName{".pprof", Form::pprof}, FormName{".prof", Form::pprof}};

Answer<Form> form_wanted(const Invocation& invocation) {
    const Args& args = invocation.args;
    const std::string& format = args.text("--format");
    const std::string& out = args.text("--out");
    if (!invocation.out.is_text() && (!format.empty() || !out.empty()))
        return give_up(kUsage, "--format and --out can't be used with -o json");
    Form form = Form::text;
    if (args.has("--format")) {
        const auto known = std::find_if(kForms.begin(), kForms.end(),
                                        [&](const FormName& row) { return row.name == format; });
        if (known == kForms.end())
            return give_up(kUsage, "--format: '" + printable(format) +
                                       "' is not text, folded, svg, pb or pprof");
        form = known->form;
    } else if (args.has("--out")) {
        const auto known =
            std::find_if(kSuffixes.begin(), kSuffixes.end(),
                         [&](const FormName& row) { return out.ends_with(row.name); });
        if (known == kSuffixes.end())
            return give_up(
                kUsage, "--out: the name '" + printable(out) + "' has no suffix of a known format",
                "use the suffix .svg, .folded, .pb, .pprof or .txt, or --format");
        form = known->form;
    }
    if ((form == Form::pprof || form == Form::pb) && out.empty() && invocation.out.on_terminal())
        return give_up(
            kUsage,
            "a profile for pprof is binary and can't be printed on a terminal: use --out FILE");
    return form;
}

// What came of the daemon.
struct Taken {
    std::string bytes;  // what --format pprof and pb write
    RawProfile raw;
    Stacks stacks;
    double all = 0;
    int64_t duration_ms = 0;  // 0: all since the daemon's start
    std::vector<std::string> remarks;
};

// The allocator's own functions say nothing of who allocates.
bool is_allocator(std::string_view name) {
    static constexpr std::string_view kStarts[] = {"[libjemalloc.so", "operator new"};
    static constexpr std::string_view kNames[] = {"malloc", "calloc", "realloc", "posix_memalign",
                                                  "aligned_alloc"};
    return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames) ||
           std::any_of(std::begin(kStarts), std::end(kStarts),
                       [name](std::string_view start) { return name.starts_with(start); });
}

void name_functions(Taken& taken, Form form, std::map<std::string, std::string> build_ids) {
    Symbols symbols(taken.raw.map, build_ids);
    if (form == Form::pb) {
        PprofAbout about;
        about.taken_ms = int64_t(std::time(nullptr)) * 1000;
        about.duration_ms = taken.duration_ms;
        about.build_ids = std::move(build_ids);
        about.name = [&](uint64_t address) { return to_utf8(symbols.name(address)); };
        taken.bytes = to_pprof(taken.raw, about);
    }
    for (const auto& raw : taken.raw.stacks) {
        std::vector<std::string> names;
        for (size_t i = raw.addresses.size(); i-- > 0;)
            names.push_back(symbols.name(call_address(taken.raw, raw, i)));
        while (taken.raw.heap && names.size() > 1 && is_allocator(names.back()))
            names.pop_back();
        taken.stacks[names] += raw.value;
    }
    taken.remarks = symbols.remarks();
}

Answer<Taken> take(Invocation& invocation, const char* kind, int64_t duration_ms, Form form) {
    auto client = invocation.connect();
    if (!client) return tl::unexpected(client.error());
    const InterruptScope scope;
    const auto reply = client->call(
        "PROFILE",
        JsonWriter::object().field("kind", kind).field("duration_ms", duration_ms).done(),
        duration_ms + kReplyMs);
    if (interrupted()) return give_up(kInterrupted, "");
    if (!reply) return tl::unexpected(Failure(reply.error()));
    const JsonView answer(*reply);
    Taken taken;
    taken.bytes = base64_decode(answer["profile_base64"].text()).value_or("");
    auto raw = parse_profile(answer["format"].text(), taken.bytes);
    if (!raw && form != Form::pprof)
        return give_up(info(raw.error().code).exit_status, raw.error().text,
                       "save it with --format pprof --out FILE for another program");
    if (raw) taken.raw = std::move(*raw);
    for (const auto& stack : taken.raw.stacks)
        taken.all += stack.value;
    taken.duration_ms = answer["duration_ms"].number();
    if (form == Form::pprof) return taken;  // who reads it names the functions
    std::map<std::string, std::string> build_ids;
    for (const JsonView module : answer["modules"].items())
        build_ids[plain_path(module["path"].text())] = module["build_id"].text();
    name_functions(taken, form, std::move(build_ids));
    return taken;
}

std::string sample_words(double samples) {
    return std::to_string(std::llround(samples)) + " samples";
}

std::string byte_words(double bytes) {
    char text[32];
    if (bytes < 1024 * 1024)
        std::snprintf(text, sizeof text, "%.1f KiB", bytes / 1024);
    else
        std::snprintf(text, sizeof text, "%.1f MiB", bytes / 1024 / 1024);
    return text;
}

struct Function {
    std::string name;
    double self = 0, total = 0;  // in it alone, and with what it called
};

// Those with most of their own first.
std::vector<Function> functions_of(const Stacks& stacks) {
    std::map<std::string, Function> by_name;
    for (const auto& [names, value] : stacks) {
        for (const auto& name : std::set<std::string>(names.begin(), names.end()))
            by_name[name].total += value;
        if (!names.empty()) by_name[names.back()].self += value;
    }
    std::vector<Function> functions;
    for (auto& [name, function] : by_name) {
        function.name = name;
        functions.push_back(function);
    }
    std::stable_sort(functions.begin(), functions.end(), [](const Function& a, const Function& b) {
        return a.self != b.self ? a.self > b.self : a.total > b.total;
    });
    return functions;
}

std::string summary(const Taken& taken) {
    char text[128];
    const double seconds = double(taken.duration_ms) / 1e3;
    std::snprintf(text, sizeof text, "allocated within %.1f s", seconds);
    const std::string when = taken.duration_ms > 0 ? text : "allocated since the start";
    if (taken.raw.heap) return byte_words(taken.all) + " " + when + " and not freed, by samples";
    std::snprintf(text, sizeof text, "%lld samples, %.2f s of CPU time in %.1f s",
                  std::llround(taken.all), taken.all * double(taken.raw.period_us) / 1e6, seconds);
    return text;
}

std::string top_text(const Taken& taken) {
    std::string text = summary(taken) + "\n";
    const auto functions = functions_of(taken.stacks);
    if (!functions.empty())
        text += taken.raw.heap ? "      SELF           TOTAL         FUNCTION\n"
                               : "  SELF            TOTAL          FUNCTION\n";
    for (size_t i = 0; i < functions.size() && i < kFunctionsShown; ++i) {
        const auto& function = functions[i];
        const auto amount = [&](double value) {
            return taken.raw.heap ? byte_words(value) : std::to_string(std::llround(value));
        };
        char line[96];
        std::snprintf(line, sizeof line,
                      taken.raw.heap ? "%10s %5.1f%% %10s %5.1f%%  " : "%6s %5.1f%% %8s %5.1f%%  ",
                      amount(function.self).c_str(), function.self / taken.all * 100,
                      amount(function.total).c_str(), function.total / taken.all * 100);
        text += line + printable(function.name) + "\n";
    }
    return text;
}

std::string folded_text(const Stacks& stacks) {
    std::string text;
    for (const auto& [names, value] : stacks) {
        std::string line;
        for (const auto& name : names)
            line += (line.empty() ? "" : ";") + printable(name);
        text += line + " " + std::to_string(std::llround(value)) + "\n";
    }
    return text;
}

std::string json_text(const Taken& taken) {
    auto object = JsonWriter::object();
    object.field("kind", taken.raw.heap ? "heap" : "cpu").field("duration_ms", taken.duration_ms);
    object.field(taken.raw.heap ? "bytes" : "samples", std::llround(taken.all));
    if (!taken.raw.heap) object.field("period_us", taken.raw.period_us);
    std::string functions = "[";
    for (const auto& function : functions_of(taken.stacks)) {
        if (functions.size() > 1) functions += ',';
        functions += JsonWriter::object()
                         .field("name", to_utf8(function.name))
                         .field("self", std::llround(function.self))
                         .field("total", std::llround(function.total))
                         .done();
    }
    return object.raw("functions", functions + "]").done() + "\n";
}

std::string rendered(const Taken& taken, Form form) {
    switch (form) {
        case Form::text:
            break;
        case Form::folded:
            return folded_text(taken.stacks);
        case Form::svg:
            return flame_graph(taken.stacks, "jobqd: " + summary(taken),
                               taken.raw.heap ? byte_words : sample_words);
        case Form::pb:
        case Form::pprof:
            return taken.bytes;
    }
    return top_text(taken);
}

Answer<> write_file(const std::string& path, const std::string& text) {
    std::FILE* file = std::fopen(path.c_str(), "we");
    bool good = file != nullptr && std::fwrite(text.data(), 1, text.size(), file) == text.size();
    if (file != nullptr) good = std::fclose(file) == 0 && good;
    if (good) return {};
    return give_up(info(ErrorCode::internal).exit_status,
                   "can't write " + printable(path) + ": " + std::strerror(errno));
}

Answer<int> run_profile(Invocation& invocation, const char* kind) {
    const Args& args = invocation.args;
    const auto form = form_wanted(invocation);
    if (!form) return tl::unexpected(form.error());
    const auto duration = args.duration_ms("--duration");
    if (!duration) return tl::unexpected(duration.error());
    const auto seconds = args.number("--seconds", 1, limits::kProfileMaxMs / 1000);
    if (!seconds) return tl::unexpected(seconds.error());
    if (*duration && *seconds)
        return give_up(kUsage, "--duration and --seconds can't be used together");
    int64_t duration_ms = duration->value_or(limits::kProfileMs);
    if (*seconds) duration_ms = **seconds * 1000;
    if (duration_ms < 1 || duration_ms > limits::kProfileMaxMs)
        return give_up(kUsage, "--duration: must be from 1ms to 10m");
    const auto taken = take(invocation, kind, duration_ms, *form);
    if (!taken) return tl::unexpected(taken.error());
    for (const auto& remark : taken->remarks)
        invocation.out.note(printable(remark));
    if (taken->all <= 0)
        invocation.out.note(taken->raw.heap ? "no samples: jobqd allocated almost nothing"
                                            : "no samples: jobqd used almost no CPU time");
    if (!invocation.out.is_text()) {
        invocation.out.raw(json_text(*taken));
        return kDone;
    }
    const std::string text = rendered(*taken, *form);
    if (args.text("--out").empty()) {
        invocation.out.raw(text);
        return kDone;
    }
    const auto written = write_file(args.text("--out"), text);
    if (!written) return tl::unexpected(written.error());
    invocation.out.note(summary(*taken) + ", in " + printable(args.text("--out")));
    return kDone;
}

Answer<int> run_cpu(Invocation& invocation) {
    return run_profile(invocation, "cpu");
}

Answer<int> run_heap(Invocation& invocation) {
    return run_profile(invocation, "heap");
}

}  // namespace

const Verb kProfileCpu{.name = "profile cpu",
                       .usage = "",
                       .summary = "Show where the daemon spends CPU time",
                       .examples =
                           "jobq profile cpu --seconds 30 -o jobqd.svg\n"
                           "jobq profile cpu --format folded | less",
                       .options = kOptions,
                       .more = {},
                       .run = run_cpu};

const Verb kProfileHeap{.name = "profile heap",
                        .usage = "",
                        .summary = "Show where the daemon allocated the memory it still holds",
                        .examples = "jobq profile heap --duration 1m",
                        .options = kOptions,
                        .more = {},
                        .run = run_heap};

}  // namespace jobq::cli
