#include "cli/link/address.h"

#include <unistd.h>

#include <cstdlib>

#include "core/base/limits.h"
#include "core/base/own_dir.h"
#include "core/base/text.h"
#include "core/protocol/password.h"

namespace jobq::cli {
namespace {

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

void add_if_there(std::vector<Address>& all, const std::string& path) {
    if (path.size() > limits::kUnixPathBytes || access(path.c_str(), F_OK) != 0) return;
    all.emplace_back().endpoint.unix_path = path;
    all.back().endpoint.own = true;
}

std::vector<Address> default_addresses() {
    std::vector<Address> all;
    const std::string runtime = environment("XDG_RUNTIME_DIR");
    const std::string own_tmp = "/tmp/jobq-" + std::to_string(geteuid());
    // cron, sudo and jobs do not set the variable; the directory is there all the same.
    const std::string own_run = "/run/user/" + std::to_string(geteuid());
    for (const auto& folder : {runtime, own_run}) {
        if (folder.empty() || (folder == own_run && !safe_dir(own_run, true))) continue;
        add_if_there(all, folder + "/jobq.sock");
        add_if_there(all, folder + "/jobq-dev.sock");
        if (runtime == own_run) break;
    }
    // Anybody may write to /tmp: what is there is trusted only when it is ours alone.
    if (safe_dir(own_tmp, true)) add_if_there(all, own_tmp + "/jobq-dev.sock");
    std::string state = environment("XDG_STATE_HOME");
    const std::string home = environment("HOME");
    if (state.empty() && !home.empty()) state = home + "/.local/state";
    if (!state.empty()) add_if_there(all, state + "/jobq/jobq.sock");
    // Last and always: so that there is a place to name when nothing is there.
    all.emplace_back().endpoint.unix_path = "/run/jobq/jobq.sock";
    return all;
}

struct Named {
    std::string url, origin;
};

// Which daemon is meant, and who says so; "" when nobody does.
Named server_of(const Target& target) {
    if (!target.server.empty()) return {target.server, "--server"};
    if (std::string url = environment("JOBQ_URL"); !url.empty()) return {url, "JOBQ_URL"};
    const std::string provider = environment("FAKTORY_PROVIDER");  // the name of a variable
    if (std::string url = environment(provider.c_str()); !provider.empty() && !url.empty())
        return {url, provider};
    if (std::string url = environment("FAKTORY_URL"); !url.empty()) return {url, "FAKTORY_URL"};
    return {};
}

Answer<> take_secrets(const Target& target, Address& address) {
    address.ca_file = target.ca_file.empty() ? environment("JOBQ_CA_FILE") : target.ca_file;
    const bool from_file = !target.password_file.empty();
    if (!from_file && !address.password.empty()) return {};
    const std::string variable = environment("JOBQ_PASSWORD");
    if (!from_file && !names_password_file(variable)) {
        address.password = variable;
        return {};
    }
    auto file = read_password_file(from_file ? target.password_file : variable);
    if (!file)
        return give_up(kNoInput, (from_file ? "--password-file: " : "JOBQ_PASSWORD: ") +
                                     printable(file.error().text));
    address.password = std::move(file->password);
    return {};
}

}  // namespace

Answer<Address> parse_address(const std::string& text) {
    auto read = parse_server_address(text);
    if (!read) return give_up(kUsage, read.error().text);
    Address address;
    address.endpoint = std::move(read->endpoint);
    if (read->login) {
        address.user = std::move(read->login->user);
        address.password = read->login->password.value_or("");
    }
    return address;
}

Answer<std::vector<Address>> addresses_to_try(const Target& target) {
    const auto named = server_of(target);
    if (named.url.empty()) return default_addresses();
    auto address = parse_address(named.url);
    if (!address) {
        address.error().text.insert(0, named.origin + ": ");
        return tl::unexpected(std::move(address.error()));
    }
    // Anybody on the machine can read the arguments of a process.
    if (!target.server.empty() && !address->password.empty())
        return give_up(kUsage,
                       "--server: the address contains a password, which every user can read on a "
                       "command line",
                       "put the password in a file and use --password-file or JOBQ_PASSWORD, or "
                       "put the whole address in JOBQ_URL");
    if (!address->endpoint.is_unix())
        if (const auto taken = take_secrets(target, *address); !taken)
            return tl::unexpected(taken.error());
    return std::vector<Address>{*address};
}

}  // namespace jobq::cli
