// Variables and flags become a tree of Nodes, read by the Loader like a file. Also where the files
// of a user and of the system are.
#include "core/config/environment.h"

#include <algorithm>
#include <filesystem>

#include "core/base/text.h"
#include "core/config/check.h"
#include "core/config/key_lister.h"

namespace jobq {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "JOBQ_";
constexpr std::string_view kPasswordCredential = "jobqd.password";

// Set for jobs, or read by the CLI: not configuration, however near their names are.
constexpr std::string_view kOtherVariables[] = {
#ifdef JOBQ_FAILPOINTS
    "JOBQ_FAILPOINT",
#endif
    "JOBQ_JID",         "JOBQ_TYPE",   "JOBQ_QUEUE",        "JOBQ_ATTEMPT", "JOBQ_DEADLINE",
    "JOBQ_TRACEPARENT", "JOBQ_URL",    "JOBQ_MAX_ATTEMPTS", "JOBQ_DEBUG",   "JOBQ_SERVER",
    "JOBQ_CA_FILE",     "JOBQ_OUTBOX", "JOBQ_PASSWORD"};

// What Kubernetes and Docker set in every container for a service whose name begins with "jobq":
// JOBQ_REDIS_SERVICE_HOST, JOBQ_REDIS_SERVICE_PORT_METRICS, JOBQ_REDIS_PORT=tcp://10.0.0.2:6379,
// JOBQ_REDIS_PORT_6379_TCP_ADDR.
bool is_service_link(std::string_view name, std::string_view value) {
    const auto has = [name](std::string_view part) {
        return name.find(part) != std::string_view::npos;
    };
    if (name.ends_with("_SERVICE_HOST") || name.ends_with("_SERVICE_PORT")) return true;
    if (has("_SERVICE_PORT_")) return true;
    const bool url =
        value.starts_with("tcp://") || value.starts_with("udp://") || value.starts_with("sctp://");
    if (name.ends_with("_PORT") && url) return true;
    const size_t at = name.find("_PORT_");
    if (at == std::string_view::npos || at + 6 >= name.size()) return false;
    const bool numbered = name[at + 6] >= '0' && name[at + 6] <= '9';
    return numbered && (has("_TCP") || has("_UDP") || has("_SCTP"));
}

// listen.tcp -> JOBQ_LISTEN_TCP, pool.my-pool.slots -> JOBQ_POOL_MY_POOL_SLOTS.
std::string variable_name(const std::vector<std::string>& parts) {
    std::string name = "JOBQ";
    for (const auto& part : parts) {
        name += '_';
        for (char c : part) {
            if ('a' <= c && c <= 'z') c = char(c - 'a' + 'A');
            name += ('A' <= c && c <= 'Z') || ('0' <= c && c <= '9') ? c : '_';
        }
    }
    return name;
}

void insert(Node& root, const std::vector<std::string>& parts, const Place& place,
            const std::string& value) {
    Node* node = &root;
    for (const auto& part : parts) {
        auto same = [&](const Member& member) { return member.name == part; };
        auto at = std::find_if(node->members.begin(), node->members.end(), same);
        if (at == node->members.end()) at = node->members.insert(at, Member{part, place, Node{}});
        node = &at->value;
    }
    node->type = Node::Type::text;
    node->place = place;
    node->text = value;
}

// Relative paths in variables and flags start where the program was started.
void read(LoadState& state, const Node& root) {
    std::error_code failed;
    Loader loader(state, root, fs::current_path(failed).string(), true);
    visit_config(state.loaded.config, loader);
    loader.finish();
}

std::string value_or(const std::map<std::string, std::string>& environment, const char* name,
                     const std::string& fallback) {
    auto at = environment.find(name);
    return at == environment.end() || at->second.empty() ? fallback : at->second;
}

// The password of [listen]: the text itself, or the name of a file when it starts with "/" (as in
// Faktory). Without both variables and without a key, the credential systemd hands over.
void take_password(LoadState& state, const std::map<std::string, std::string>& environment) {
    ListenConfig& listen = state.loaded.config.listen;
    for (const char* name : {"JOBQ_PASSWORD", "FAKTORY_PASSWORD"}) {
        std::string value = value_or(environment, name, "");
        if (value.empty()) continue;
        bool file = value.starts_with('/');
        listen.password_file = file ? value : "";
        listen.password = file ? "" : value;
        state.loaded.origin["listen.password_file"] = name;
        return;
    }
    std::string credentials = value_or(environment, "CREDENTIALS_DIRECTORY", "");
    std::error_code failed;
    if (credentials.empty() || !listen.password_file.empty()) return;
    std::string path = (fs::path(credentials) / kPasswordCredential).string();
    if (!fs::exists(path, failed)) return;
    listen.password_file = path;
    state.loaded.origin["listen.password_file"] = "CREDENTIALS_DIRECTORY";
}

// OpenTelemetry's own variables, where neither a file nor JOBQ_* says anything. They are often set
// for all programs of a machine: what is not for jobqd is passed over.
void take_otel(LoadState& state, const std::map<std::string, std::string>& environment) {
    TraceConfig& trace = state.loaded.config.trace;
    auto take = [&](const char* variable, const char* key, TextRule rule, std::string& field) {
        std::string value = value_or(environment, variable, "");
        if (value.empty() || state.loaded.origin.contains(key)) return;
        if (!check_text(rule, value).empty()) return;
        field = value;
        state.loaded.origin[key] = variable;
    };
    const bool other = value_or(environment, "OTEL_EXPORTER_OTLP_PROTOCOL", "") == "grpc" ||
                       value_or(environment, "OTEL_SDK_DISABLED", "") == "true";
    if (!other)
        take("OTEL_EXPORTER_OTLP_ENDPOINT", "trace.endpoint", TextRule::collector_url,
             trace.endpoint);
    take("OTEL_SERVICE_NAME", "trace.service_name", TextRule::words, trace.service_name);
}

}  // namespace

void load_environment(LoadState& state, const std::map<std::string, std::string>& environment) {
    KeyLister lister(false);
    visit_config(state.loaded.config, lister);
    std::map<std::string, const KeyLister::Key*, std::less<>> by_variable;
    for (const auto& key : lister.keys())
        if (key.single) by_variable.emplace(variable_name(key.parts), &key);
    std::vector<std::string_view> known;
    for (const auto& [name, key] : by_variable)
        known.push_back(name);

    Node root;
    for (const auto& [name, value] : environment) {
        bool other = std::find(std::begin(kOtherVariables), std::end(kOtherVariables), name) !=
                     std::end(kOtherVariables);
        if (!name.starts_with(kPrefix) || other) continue;
        Place place{name};
        if (auto at = by_variable.find(name); at != by_variable.end()) {
            insert(root, at->second->parts, place, value);
        } else if (!is_service_link(name, value)) {
            auto near = nearest(name, known);
            state.warn(place,
                       "is not a variable of jobqd and is ignored" +
                           (near.empty() ? "" : "; did you mean " + std::string(near) + "?"));
        }
    }
    read(state, root);
    take_password(state, environment);
    take_otel(state, environment);
}

void load_flags(LoadState& state, const std::map<std::string, std::string>& flags) {
    Node root;
    for (const auto& [path, value] : flags) {
        std::vector<std::string> parts;
        for (auto part : split(path, '.'))
            parts.emplace_back(part);
        insert(root, parts, Place{"command line"}, value);
    }
    read(state, root);
}

std::vector<std::string> default_config_files(
    bool system, const std::map<std::string, std::string>& environment) {
    fs::path folder = "/etc/jobq";
    if (!system) {
        std::string home = value_or(environment, "HOME", "/");
        folder = fs::path(value_or(environment, "XDG_CONFIG_HOME", home + "/.config")) / "jobq";
    }
    std::error_code failed;
    std::vector<std::string> files;
    if (fs::exists(folder / "jobqd.toml", failed))
        files.push_back((folder / "jobqd.toml").string());
    std::vector<std::string> parts;
    for (fs::directory_iterator at(folder / "conf.d", failed), end; !failed && at != end;
         at.increment(failed))
        if (at->path().extension() == ".toml") parts.push_back(at->path().string());
    std::sort(parts.begin(), parts.end());
    files.insert(files.end(), parts.begin(), parts.end());
    return files;
}

}  // namespace jobq
