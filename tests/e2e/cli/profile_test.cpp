// jobq profile: profiles of a jobqd under load, in every form, and what is refused.
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "tests/support/live/live_daemon.h"
#include "tests/support/poll.h"

namespace jobq::test {
namespace {

using nlohmann::json;
using Words = std::vector<std::string>;

constexpr const char* kThreads = R"(
[pool.threads]
kind = "thread"
queues = ["default"]
slots = 2
)";

// Jobs without an end from another process, until it is destroyed.
class Load {
  public:
    explicit Load(const LiveDaemon& daemon) {
        CliCall call = daemon.call({"enqueue", "noop", "--jsonl", "-", "-q"});
        for (int i = 0; i < 2000; ++i)
            call.input += std::to_string(i) + "\n";
        call.no_input = false;
        thread_ = std::thread([this, call] {
            while (!stop_)
                run_cli(call);
        });
    }

    ~Load() {
        stop_ = true;
        thread_.join();
    }

  private:
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

bool profiled(const LiveDaemon& daemon) {
    return access((daemon.state_dir() + "/profile.tmp").c_str(), F_OK) == 0;
}

#ifdef JOBQ_HAS_PROFILER

// What parses `text` as XML and prints how many boxes it has; empty when it is none.
std::string boxes_of(const std::string& svg) {
    CliCall call;
    call.program = "/usr/bin/python3";
    call.args = {"-c",
                 "import sys, xml.etree.ElementTree as tree\n"
                 "root = tree.fromstring(sys.stdin.buffer.read())\n"
                 "print(len([g for g in root.iter() if g.get('class') == 'box']))"};
    call.input = svg;
    call.no_input = false;
    return run_cli(call).out;
}

#endif

}  // namespace

#ifdef JOBQ_HAS_PROFILER

TEST_CASE("profile cpu names the functions of a jobqd under load, in every form") {
    LiveDaemon daemon(kThreads);
    Load load(daemon);
    const std::string folded =
        daemon.must({"profile", "cpu", "--duration", "1500ms", "--format", "folded"});
    CHECK(contains(folded, ";jobq::UvReactor::run;"));
    std::istringstream lines(folded);
    for (std::string line; std::getline(lines, line);) {
        const size_t space = line.rfind(' ');
        INFO(line);
        REQUIRE(space != std::string::npos);
        CHECK(std::stoi(line.substr(space + 1)) > 0);
    }
    const std::string svg = daemon.dir() / "flame.svg";
    const Ran drawn = daemon.jobq({"profile", "cpu", "--duration", "500ms", "--out", svg});
    CHECK(drawn.status == 0);
    CHECK(drawn.out.empty());
    CHECK(contains(drawn.err, "of CPU time"));
    const std::string picture = read_file(svg);
    CHECK(contains(picture, "<title>jobq::UvReactor::run: "));
    CHECK(std::atoi(boxes_of(picture).c_str()) > 10);

    CHECK(contains(picture, ">search</text>"));
    const std::string pb = daemon.dir() / "profile.pb";
    CHECK(daemon.jobq({"profile", "cpu", "--seconds", "1", "-o", pb}).status == 0);
    for (const char* part : {"nanoseconds", "jobq::UvReactor::run", "/jobqd"})
        CHECK(contains(read_file(pb), part));

    const std::string text = daemon.must({"profile", "cpu", "--duration", "500ms"});
    CHECK(contains(text, " samples, "));
    CHECK(contains(text, "FUNCTION"));
    const auto object =
        json::parse(daemon.must({"profile", "cpu", "--duration", "500ms", "--json"}));
    CHECK(object.at("samples") > 0);
    CHECK(object.at("functions").at(0).at("self") > 0);

    // gperftools' header: 0, three words follow, version 0, the period in microseconds.
    const Ran raw = daemon.jobq({"profile", "cpu", "--duration", "100ms", "--format", "pprof"});
    REQUIRE(raw.out.size() > 40);
    CHECK(raw.out.substr(0, 24) ==
          std::string("\0\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0", 16) + std::string(8, '\0'));
    CHECK(contains(raw.out, "/jobqd\n"));
    CHECK_FALSE(profiled(daemon));
}

TEST_CASE("one profile at a time, a cut connection ends it") {
    LiveDaemon daemon(kThreads);
    CliCall call = daemon.call({"profile", "cpu", "--duration", "10m"});
    call.started = [&](int started) {
        REQUIRE(eventually([&] { return profiled(daemon); }));
        const Ran second = daemon.jobq({"profile", "cpu", "--duration", "1s"});
        CHECK(second.status == 75);
        CHECK(contains(second.err, "another profile"));
        ::kill(started, SIGINT);
    };
    CHECK(run_cli(call).status == 130);
    CHECK(eventually([&] { return !profiled(daemon); }));
    CHECK(daemon.jobq({"profile", "cpu", "--duration", "10ms"}).status == 0);
    call.started = [&](int started) {
        REQUIRE(eventually([&] { return profiled(daemon); }));
        ::kill(started, SIGKILL);
    };
    CHECK(run_cli(call).status == 137);
    CHECK(eventually([&] { return !profiled(daemon); }));
}

#else

TEST_CASE("profile cpu says when jobqd was built without it") {
    LiveDaemon daemon(kThreads);
    const Ran ran = daemon.jobq({"profile", "cpu", "--duration", "10ms"});
    CHECK(ran.status == 4);
    CHECK(contains(ran.err, "built without the CPU profiler"));
    CHECK_FALSE(profiled(daemon));
}

#endif

#ifdef JOBQ_HAS_PROFILER

TEST_CASE("profile heap tells of a jobqd that was started with jemalloc") {
    setenv("LD_PRELOAD", "libjemalloc.so.2", 1);
    setenv("MALLOC_CONF", "prof:true,lg_prof_sample:12", 1);
    LiveDaemon whole(kThreads);
    setenv("MALLOC_CONF", "prof:true,prof_active:false", 1);
    LiveDaemon asked(kThreads);
    unsetenv("LD_PRELOAD");
    unsetenv("MALLOC_CONF");
    // All since the start, at once.
    const std::string folded = whole.must({"profile", "heap", "--format", "folded"});
    CHECK(contains(folded, "jobq::run_daemon;"));
    CHECK_FALSE(contains(folded, "jemalloc"));
    CHECK(contains(whole.must({"profile", "heap"}), "allocated since the start and not freed"));
    CHECK(contains(whole.must({"profile", "heap", "--format", "pprof"}), "heap_v2/4096\n"));
    // From the request on.
    CHECK(contains(asked.must({"profile", "heap", "--duration", "50ms"}), "allocated within 0."));
    const auto object =
        json::parse(asked.must({"profile", "heap", "--duration", "50ms", "--json"}));
    CHECK(object.at("duration_ms") >= 50);
    CHECK(object.at("bytes") >= 0);
    CHECK_FALSE(profiled(asked));
}

#endif

TEST_CASE("profile tasks shows who waits where, with its callers") {
    LiveDaemon daemon(kThreads);
    const auto tasks = json::parse(daemon.must({"profile", "tasks", "--json"}));
    bool app = false;
    for (const auto& task : tasks) {
        CHECK(task.at("waiting_ms") >= 0);
        REQUIRE_FALSE(task.at("stack").empty());
        const auto& last = task.at("stack").back();
        CHECK(last.at("line") > 0);
        if (last.at("file") == "daemon/app/app.cpp" && last.at("function") == "run") app = true;
    }
    CHECK(app);
    CHECK(contains(daemon.must({"profile", "tasks"}), " run daemon/app/app.cpp:"));
    // A client that waits is one more, seen through its session.
    daemon.must({"queue", "pause", "default"});
    const std::string jid = daemon.must({"enqueue", "noop", "-q"});
    CliCall waiter = daemon.call({"wait", jid});
    waiter.started = [&](int) {
        CHECK(eventually([&] {
            return contains(daemon.must({"profile", "tasks"}),
                            "wait daemon/server/verbs/inspect.cpp:");
        }));
        daemon.must({"queue", "resume", "default"});
    };
    CHECK(run_cli(waiter).status == 0);
}

TEST_CASE("profile heap says how to start jobqd for it") {
    LiveDaemon daemon(kThreads);
    const Ran ran = daemon.jobq({"profile", "heap", "--duration", "10ms"});
    CHECK(ran.status == 4);
    CHECK(contains(ran.err, "LD_PRELOAD=libjemalloc.so.2"));
}

TEST_CASE("profile refuses what can't be meant") {
    LiveDaemon daemon(kThreads);
    const auto refused = [&](Words args, const std::string& why) {
        args.insert(args.begin(), {"profile", "cpu"});
        const Ran ran = daemon.jobq(args);
        INFO(ran.err);
        CHECK(ran.status == 2);
        CHECK(contains(ran.err, why));
    };
    refused({"--format", "png"}, "not text, folded, svg, pb or pprof");
    refused({"--seconds", "1", "--duration", "1s"}, "can't be used together");
    refused({"--seconds", "0"}, "--seconds");
    refused({"-o", "svg"}, "not one of text, json and jsonl");
    refused({"-o", "./profile"}, "has no suffix of a known format");
    refused({"--out", "profile"}, "has no suffix of a known format");
    refused({"--duration", "0s"}, "must be from 1ms to 10m");
    refused({"--duration", "11m"}, "must be from 1ms to 10m");
    refused({"--json", "--format", "svg"}, "can't be used with -o json");
    refused({"extra"}, "does not take 'extra'");
    CHECK(daemon.jobq({"profile"}).status == 2);
}

}  // namespace jobq::test
