// jobqd behind a reverse proxy that is none of ours: nginx, with TLS, another host name and a path
// in front.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "tests/support/authority.h"
#include "tests/support/live/http_kit.h"

using namespace jobq::test;

namespace {

const char* const kNginx = "/usr/sbin/nginx";
const std::string kSite = "https://jobs.example";

// nginx on a Unix socket of its own, as "https://jobs.example/jobq/"; `location` says what is
// behind.
class Proxy {
  public:
    explicit Proxy(const std::string& location) {
        const auto pair = authority_.issue("proxy", "dns_name = \"jobs.example\"\n");
        std::string temporary;
        for (const char* kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"})
            temporary += std::string(kind) + "_temp_path " + dir_.path() + "/" + kind + ";\n";
        const std::string file = dir_.write(
            "nginx.conf", "daemon off; master_process off; pid " + (dir_ / "pid") +
                              ";\nevents {}\nhttp { access_log off;\n" + temporary +
                              "server { listen unix:" + socket() +
                              " ssl; server_name jobs.example; client_max_body_size 64m;\n"
                              "ssl_certificate " +
                              pair.certificate + "; ssl_certificate_key " + pair.key +
                              ";\nlocation /jobq/ {\n" + location + "\n} } }\n");
        const std::string log = dir_ / "error.log";
        pid_ = fork();
        if (pid_ == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            execl(kNginx, "nginx", "-e", log.c_str(), "-c", file.c_str(), nullptr);
            _exit(127);
        }
        const bool listens =
            eventually([&] { return ::access(socket().c_str(), R_OK | W_OK) == 0; });
        if (!listens) throw std::runtime_error("nginx did not start: " + read_file(log));
    }

    ~Proxy() {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }

    Proxy(const Proxy&) = delete;

    static bool is_there() { return ::access(kNginx, X_OK) == 0; }

    std::string socket() const { return dir_ / "proxy.sock"; }

    // A browser's page asks for a path below the site's; the body, then a line with the status.
    std::string ask(const std::string& path, const std::vector<std::string>& more = {}) const {
        CliCall call = curl(path);
        call.args.insert(call.args.end(), {"-w", "\n%{http_code} %{redirect_url}"});
        call.args.insert(call.args.end(), more.begin(), more.end());
        const Ran ran = run_cli(call);
        INFO(ran.err);
        REQUIRE(ran.status == 0);
        return ran.out;
    }

    // Of an endless answer: the first line that has this.
    std::string first_line(const std::string& path, const std::string& word) const {
        CliCall call = curl(path);
        std::string line;
        for (const auto& arg : call.args)
            line += " '" + arg + "'";
        call.program = "/bin/sh";
        call.args = {"-c", "/usr/bin/curl -N" + line + " | grep -m1 '" + word + "'"};
        return run_cli(call).out;
    }

  private:
    CliCall curl(const std::string& path) const {
        CliCall call;
        call.program = "/usr/bin/curl";
        call.args = {"-sS",        "--cacert", authority_.file(), "--unix-socket", socket(),
                     "--max-time", "20",       kSite + path};
        return call;
    }

    TempDir dir_;
    TestAuthority authority_{dir_};
    pid_t pid_ = 0;
};

std::vector<std::string> from_page(const std::string& origin, const std::string& body) {
    return {"-X", "POST",
            "-H", "Origin: " + origin,
            "-H", "Sec-Fetch-Site: same-origin",
            "-H", "Content-Type: application/json",
            "-d", body};
}

bool ends(const std::string& text, const std::string& end) {
    return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

void look_at_page(const Proxy& proxy) {
    const std::string page = proxy.ask("/jobq/");
    CHECK(ends(page, "\n200 "));
    const std::string mark = "src=\"";
    if (const size_t at = page.find(mark); at != std::string::npos) {
        const size_t from = at + mark.size();
        const std::string script = page.substr(from, page.find('"', from) - from);
        CHECK(ends(proxy.ask("/jobq/" + script), "\n200 "));
    }
    CHECK(contains(proxy.first_line("/jobq/api/v1/live", "event: sample"), "sample"));
}

// A stream of events passes at once, not when the proxy has enough of it.
void follow_events(const HttpDaemon& daemon, const Proxy& proxy) {
    std::atomic<bool> seen = false;
    std::thread busy([&] {
        while (!seen) {
            daemon.enqueue(R"({"type":"noop"})");
            ::usleep(50'000);
        }
    });
    const std::string line = proxy.first_line("/jobq/api/v1/events?event=finished", "finished");
    seen = true;
    busy.join();
    CHECK(contains(line, "finished"));
}

void act(const HttpDaemon& daemon, const Proxy& proxy) {
    const std::string job = R"({"type":"noop","delay_ms":600000,"jid":"by-proxy"})";
    CHECK(ends(proxy.ask("/jobq/api/v1/jobs", from_page(kSite, job)), "\n201 "));
    CHECK(ends(proxy.ask("/jobq/api/v1/jobs", from_page("https://evil.example", job)), "\n403 "));
    CHECK(ends(proxy.ask("/jobq/api/v1/queues/q/pause",
                         {"-X", "POST", "-H", "Origin: https://evil.example"}),
               "\n403 "));
    CHECK(ends(proxy.ask("/jobq/api/v1/jobs/by-proxy", {"-X", "DELETE", "-H", "Origin: " + kSite}),
               "\n200 "));
    constexpr int kLines = 3'000;
    std::string lines;
    for (int i = 0; i < kLines; ++i)
        lines += R"({"type":"noop","queue":"bulk","delay_ms":600000})"
                 "\n";
    TempDir dir;
    const std::string file = dir.write("lines", lines);
    const std::string told =
        proxy.ask("/jobq/api/v1/jobs:bulk", {"-H", "Content-Type: application/jsonl", "-H",
                                             "Origin: " + kSite, "--data-binary", "@" + file});
    CHECK(ends(told, "\n200 "));
    CHECK(std::count(told.begin(), told.end(), '\n') == kLines + 1);
    const std::string started = proxy.ask(
        "/jobq/api/v1/operations",
        from_page(kSite, R"({"action":"cancel","filter":{"state":"scheduled","queue":"bulk"}})"));
    CHECK(contains(started, "\n202 "));
    CHECK(eventually([&] { return daemon.count("scheduled") == 0; }));
}

}  // namespace

TEST_CASE("http: behind nginx with TLS, another name and a path, all works but other sites") {
    if (!Proxy::is_there()) {
        WARN("not tried: nginx is missing; install the package nginx-light");
        return;
    }
    SECTION("the proxy leaves path and headers alone, and jobqd knows its address") {
        HttpDaemon daemon("http_base_path = \"/jobq\"\nhttp_origins = \"" + kSite + "\"\n");
        const std::string upstream = "http://127.0.0.1:" + std::to_string(daemon.port());
        Proxy proxy("proxy_pass " + upstream + ";");
        look_at_page(proxy);
        follow_events(daemon, proxy);
        act(daemon, proxy);
        CHECK(contains(proxy.ask("/jobq/api/openapi.json"), R"("servers":[{"url":"/jobq"}])"));
        const auto redirect = daemon.ask("GET", "/jobq?a=1");
        CHECK(redirect.status == 308);
        CHECK(redirect.headers.at("location") == "/jobq/?a=1");
        const auto probe = daemon.ask("GET", "/readyz", "", {"Host: 10.1.2.3"});
        CHECK(probe.status == 200);
    }
    SECTION("the proxy takes the path off and says for whom it asks") {
        HttpDaemon daemon("http_proxies = \"127.0.0.1\"\nhttp_hosts = \"jobs.example\"\n");
        const std::string upstream = "http://127.0.0.1:" + std::to_string(daemon.port());
        Proxy proxy(
            "proxy_http_version 1.1; proxy_set_header Connection '';\n"
            "proxy_set_header X-Forwarded-Host $host;\n"
            "proxy_set_header X-Forwarded-Proto $scheme;\n"
            "proxy_set_header X-Forwarded-For 203.0.113.9;\n"
            "proxy_pass " +
            upstream + "/;");
        look_at_page(proxy);
        follow_events(daemon, proxy);
        act(daemon, proxy);
    }
    SECTION("the proxy comes by a Unix socket") {
        TempDir dir;
        LiveDaemon daemon("[listen]\nhttp = \"unix:" + (dir / "http.sock") +
                          "\"\nhttp_origins = \"" + kSite + "\"\n");
        Proxy proxy("proxy_pass http://unix:" + (dir / "http.sock") + ":/;");
        const std::string job = R"({"type":"noop","delay_ms":600000})";
        CHECK(ends(proxy.ask("/jobq/api/v1/jobs", from_page(kSite, job)), "\n201 "));
        CHECK(
            ends(proxy.ask("/jobq/api/v1/jobs", from_page("https://evil.example", job)), "\n403 "));
        CHECK(ends(proxy.ask("/jobq/readyz"), "\n200 "));
    }
}
