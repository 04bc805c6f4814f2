#include "tests/support/live/http_kit.h"

#include <stdexcept>

namespace jobq::test {

int http_port(const LiveDaemon& daemon) {
    const auto ready = Json::parse(read_file(daemon.state_dir() + "/jobqd.ready"));
    const std::string http = ready.at("http");
    return std::stoi(http.substr(http.rfind(':') + 1));
}

namespace {

// Without pools of its own it runs the built-in types, and commands where there are any.
std::string with_pools(const std::string& toml) {
    if (toml.find("[pool") != toml.npos) return toml;
    const bool commands = toml.find("[type.") != toml.npos || toml.find("[run]") != toml.npos;
    return toml + "\n[pool.threads]\nkind = \"thread\"\n" + (commands ? "[pool.default]\n" : "");
}

}  // namespace

HttpDaemon::HttpDaemon(const std::string& toml,
                       const std::function<void(const std::string&)>& prepare)
    : LiveDaemon("[listen]\nhttp = \"127.0.0.1:0\"\n" + with_pools(toml), {}, prepare) {}

HttpAnswer HttpDaemon::ask(const std::string& method, const std::string& target,
                           const std::string& body, const std::vector<std::string>& headers) const {
    HttpClient client(port());
    return client.ask(method, target, body, headers);
}

Json HttpDaemon::json(const std::string& method, const std::string& target, const std::string& body,
                      int status) const {
    const HttpAnswer answer = ask(method, target, body);
    if (answer.status != status)
        throw std::runtime_error(method + " " + target + ": " + std::to_string(answer.status) +
                                 " " + answer.body);
    return Json::parse(answer.body);
}

std::string HttpDaemon::enqueue(const std::string& job) const {
    return json("POST", "/api/v1/jobs", job, 201).at("job_id");
}

bool HttpDaemon::becomes(const std::string& jid, const std::string& state) const {
    return eventually([&] { return json("GET", "/api/v1/jobs/" + jid).at("state") == state; });
}

Sent next_event(HttpClient& client) {
    Sent sent;
    while (true) {
        const std::string line = client.streamed_line();
        if (line.empty() && !sent.data.empty()) return sent;
        if (line.starts_with("id: ")) sent.id = line.substr(4);
        if (line.starts_with("event: ")) sent.event = line.substr(7);
        if (line.starts_with("data: ")) sent.data = line.substr(6);
    }
}

}  // namespace jobq::test
