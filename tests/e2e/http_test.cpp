// What jobqd answers by HTTP.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/e2e/live_daemon.h"
#include "tests/e2e/tcp_client.h"

using namespace jobq;
using namespace jobq::test;

namespace {

std::string status_line(int port, const std::string& request) {
    TcpClient client(port);
    client.send(request + "Host: localhost\r\nConnection: close\r\n\r\n");
    return client.line();
}

}  // namespace

TEST_CASE("/healthz answers, other pages and methods do not") {
    LiveDaemon daemon("[listen]\nhttp = \"127.0.0.1:0\"\n");
    const auto ready = nlohmann::json::parse(read_file(daemon.state_dir() + "/jobqd.ready"));
    const std::string http = ready.at("http");
    const int port = std::stoi(http.substr(http.rfind(':') + 1));
    CHECK(status_line(port, "GET /healthz HTTP/1.1\r\n") == "HTTP/1.1 200 OK");
    CHECK(status_line(port, "GET /nothing HTTP/1.1\r\n") == "HTTP/1.1 404 Not Found");
    CHECK(status_line(port, "DELETE /healthz HTTP/1.1\r\n") == "HTTP/1.1 405 Method Not Allowed");
}
