#include "cli/link/address.h"

#include <unistd.h>

#include <cstdlib>

#include "core/base/limits.h"
#include "core/base/own_dir.h"
#include "core/base/text.h"
#include "core/protocol/password.h"

namespace jobq::cli {
namespace {

constexpr uint16_t kDefaultPort = 7419;  // Faktory's
constexpr const char* kForms = "use unix:PATH, tcp://HOST:PORT or tcp+tls://HOST:PORT";

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

Answer<Address> unix_address(std::string path) {
    if (path.starts_with("//")) path.erase(0, 2);
    if (path.empty()) return give_up(kUsage, "the address has no path after 'unix:'", kForms);
    if (path.size() > limits::kUnixPathBytes)
        return give_up(kUsage,
                       "the socket path '" + path + "' has " + std::to_string(path.size()) +
                           " bytes; the limit is " + std::to_string(limits::kUnixPathBytes),
                       "use a shorter path, or a symbolic link to the directory");
    Address address;
    address.unix_path = std::move(path);
    return address;
}

// The user and password of "user:password@host"; %XX is decoded in both.
std::string percent_decoded(std::string_view text) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size()) {
            const std::string digits(text.substr(i + 1, 2));
            char* end = nullptr;
            const long code = std::strtol(digits.c_str(), &end, 16);
            if (end == digits.c_str() + 2) {
                out.push_back(char(code));
                i += 2;
                continue;
            }
        }
        out.push_back(text[i]);
    }
    return out;
}

Answer<Address> tcp_address(std::string_view rest) {
    Address address;
    if (const size_t at = rest.rfind('@'); at != std::string_view::npos) {
        const std::string_view login = rest.substr(0, at);
        const size_t colon = login.find(':');
        address.user = percent_decoded(login.substr(0, colon));
        if (colon != std::string_view::npos)
            address.password = percent_decoded(login.substr(colon + 1));
        rest = rest.substr(at + 1);
    }
    if (rest.ends_with('/')) rest.remove_suffix(1);
    std::string_view port;
    if (rest.starts_with('[')) {
        const size_t close = rest.find(']');
        if (close == std::string_view::npos)
            return give_up(kUsage, "the address has '[' without ']'", kForms);
        address.host = rest.substr(1, close - 1);
        if (rest.substr(close + 1).starts_with(':')) port = rest.substr(close + 2);
    } else {
        const size_t colon = rest.rfind(':');
        address.host = rest.substr(0, colon);
        if (colon != std::string_view::npos) port = rest.substr(colon + 1);
    }
    if (address.host.empty()) return give_up(kUsage, "the address has no host", kForms);
    address.port = kDefaultPort;
    if (!port.empty()) {
        const auto number = parse_int(port);
        if (!number || *number < 1 || *number > 65535)
            return give_up(kUsage, "'" + std::string(port) + "' is not a port number", kForms);
        address.port = uint16_t(*number);
    }
    return address;
}

void add_if_there(std::vector<Address>& all, const std::string& path) {
    if (path.size() > limits::kUnixPathBytes || access(path.c_str(), F_OK) != 0) return;
    all.emplace_back().unix_path = path;
    all.back().own = true;
}

std::vector<Address> default_addresses() {
    std::vector<Address> all;
    const std::string runtime = environment("XDG_RUNTIME_DIR");
    const std::string own_tmp = "/tmp/jobq-" + std::to_string(geteuid());
    if (!runtime.empty()) {
        add_if_there(all, runtime + "/jobq.sock");
        add_if_there(all, runtime + "/jobq-dev.sock");
    }
    // Anybody may write to /tmp: what is there is trusted only when it is ours alone.
    if (safe_dir(own_tmp, true)) add_if_there(all, own_tmp + "/jobq-dev.sock");
    std::string state = environment("XDG_STATE_HOME");
    const std::string home = environment("HOME");
    if (state.empty() && !home.empty()) state = home + "/.local/state";
    if (!state.empty()) add_if_there(all, state + "/jobq/jobq.sock");
    // Last and always: so that there is a place to name when nothing is there.
    all.emplace_back().unix_path = "/run/jobq/jobq.sock";
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

std::string Address::to_string() const {
    if (is_unix()) return "unix:" + unix_path;
    const bool v6 = host.find(':') != std::string::npos;
    return (tls ? "tcp+tls://" : "tcp://") + (v6 ? "[" + host + "]" : host) + ":" +
           std::to_string(port);
}

Answer<Address> parse_address(const std::string& url) {
    if (url.starts_with("unix:")) return unix_address(url.substr(5));
    if (url.starts_with("/")) return unix_address(url);
    constexpr std::string_view kTcp = "tcp://", kTls = "tcp+tls://";
    if (url.starts_with(kTcp)) return tcp_address(std::string_view(url).substr(kTcp.size()));
    if (url.starts_with(kTls)) {
        auto address = tcp_address(std::string_view(url).substr(kTls.size()));
        if (address) address->tls = true;
        return address;
    }
    if (const size_t scheme = url.find("://"); scheme != std::string::npos)
        return give_up(
            kUsage, "unknown address scheme '" + printable(url.substr(0, scheme)) + "://'", kForms);
    if (url.find(':') != std::string::npos) return tcp_address(url);
    return give_up(kUsage, "'" + printable(url) + "' is not the address of a daemon", kForms);
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
    if (!address->is_unix())
        if (const auto taken = take_secrets(target, *address); !taken)
            return tl::unexpected(taken.error());
    return std::vector<Address>{*address};
}

}  // namespace jobq::cli
