// What a hostile or broken client sends to the job port: bombs, lies about lengths, half lines,
// lines without an end, floods, random bytes. Each gets an error or a close; meanwhile another
// client is served, and jobqd's memory stays bounded.
#include <catch2/catch.hpp>
#include <chrono>
#include <fstream>
#include <random>

#include "tests/support/live/faktory_kit.h"
#include "tests/support/poll.h"

namespace jobq::test {
namespace {

using Clock = std::chrono::steady_clock;
constexpr size_t kMiB = 1 << 20;

// Resident memory of the shared jobqd, MiB.
int64_t resident_mib() {
    std::ifstream status("/proc/" + std::to_string(shared().daemon.pid()) + "/statm");
    int64_t size = 0, resident = 0;
    status >> size >> resident;
    return resident * 4096 / int64_t(kMiB);
}

// How much more it is by now. A sanitizer keeps freed memory for long: nothing to go by.
int64_t grown_mib([[maybe_unused]] int64_t before) {
#ifdef JOBQ_SANITIZED
    return 0;
#else
    return resident_mib() - before;
#endif
}

std::string times(size_t n, const std::string& text) {
    std::string out;
    out.reserve(n * text.size());
    for (size_t i = 0; i < n; ++i)
        out += text;
    return out;
}

std::string push_args(const std::string& args) {
    return R"(PUSH {"jid":"hostile-job","jobtype":"T","queue":"hostile","args":)" + args + "}";
}

std::string push_with(const std::string& member) {
    return R"(PUSH {"jid":"hostile-job","jobtype":"T","queue":"hostile","args":[],)" + member + "}";
}

struct Bomb {
    const char* name;
    std::string line;
    std::string said;  // the beginning of the reply; "" for an error of any text
};

// One whole line each, after a HELLO.
std::vector<Bomb> bombs() {
    const std::string json = "-ERR invalid JSON: ", unknown = "-ERR unknown command ";
    return {
        {"1 MB of [", push_args(times(kMiB, "[")), json},
        {"1 MB of [ behind a bulk verb", "PUSHB " + times(kMiB, "["), json},
        {"objects nested 200,000 deep", "PUSH " + times(200'000, "{\"a\":"), json},
        {"closed arrays 200,000 deep", push_args(times(200'000, "[") + times(200'000, "]")), json},
        {"depth 65 of args", push_args(times(70, "[") + times(70, "]")), json},
        {"1 MB of [[],[],...", push_args("[" + times(kMiB / 3 - 40, "[],") + "1"), json},
        {"1e400", push_args("[1e400]"), json},
        {"a lone surrogate", push_args("[\"\\ud800\"]"), "+OK"},
        {"a NUL in JSON", push_args(std::string("[\"a\0b\"]", 7)), json},
        {"a NUL behind JSON", push_args("[]") + std::string(1, '\0'), json},
        {"NaN", push_args("[NaN]"), json},
        {"a byte order mark", "PUSH \xEF\xBB\xBF{}", "-ERR "},
        {"Latin-1", push_args("[\"caf\xE9\"]"), json},
        {"overlong UTF-8", push_args("[\"\xC0\xAF\"]"), json},
        {"a comment", push_args("[/* */]"), json},
        {"a trailing comma", push_args("[1,]"), json},
        {"single quotes", push_args("['a']"), json},
        {"two values", push_args("[]") + "{}", json},
        {"a truncated escape", push_args("[\"\\u12\"]"), json},
        {"an unfinished string", push_args("[\"abc]"), json},
        {"a jid of 1 MB",
         R"(PUSH {"jid":")" + std::string(kMiB, 'j') + R"(","jobtype":"T","args":[]})", ""},
        {"a jid with a line break", R"(PUSH {"jid":"two\r\nlines","jobtype":"T","args":[]})", ""},
        {"a jid with a space", R"(PUSH {"jid":"two words","jobtype":"T","args":[]})", ""},
        {"a jobtype of 64 KB", push_with("\"jobtype\":\"" + std::string(65'536, 't') + "\""), ""},
        {"a queue of 64 KB", push_with("\"queue\":\"" + std::string(65'536, 'q') + "\""), ""},
        {"custom of 128 KB", push_with("\"custom\":{\"a\":\"" + times(131'072, "c") + "\"}"), ""},
        {"retry over 64 bits", push_with("\"retry\":99999999999999999999"), json},
        {"40,000 unknown keys", push_with(times(40'000, "\"k\":1,") + "\"jid\":1"), json},
        {"RESP: an array of 2147483647", "*2147483647", unknown + "*2147483647"},
        {"RESP: a bulk of -5", "$-5", unknown + "$-5"},
        {"RESP: a bulk of 1 GiB", "$1073741824", unknown + "$1073741824"},
        {"an inline verb of 64 KB", std::string(65'536, 'V'), unknown + std::string(64, 'V')},
        {"a verb of NULs", std::string(100, '\0'), unknown},
        {"a verb of escapes", "\x1b[31mINFO\x07", unknown},
        {"HTTP", "GET / HTTP/1.1", unknown + "GET"},
        {"TLS", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03", 11), unknown},
        {"gzip", std::string("\x1F\x8B\x08\x00\x00\x00", 6), unknown},
        {"500,000 queues", "FETCH " + times(500'000, "a "), "-ERR FETCH names 500000 queues"},
        {"QUEUE with 300,000 names", "QUEUE PAUSE" + times(300'000, " ab"), "+OK"},
        {"LATENCY of 300,000 names", "QUEUE LATENCY" + times(300'000, " ab"), "{\"ab\":0}"},
        {"LATENCY of bytes", "QUEUE LATENCY \xFF\x01", "{\""},
        {"a glob bomb",
         R"(MUTATE {"cmd":"kill","target":"dead","filter":{"regexp":")" + times(5'000, "*a") +
             "\"}}",
         "-ERR a regexp of 10000 bytes"},
        {"MUTATE of 80,000 jids",
         R"(MUTATE {"cmd":"kill","target":"dead","filter":{"jids":["x")" + times(80'000, ",\"y\"") +
             "]}}",
         "+OK"},
        {"ACK of 1 MB", "ACK " + std::string(kMiB, 'a'), "-ERR invalid ACK aaa"},
        {"FAIL with 100,000 lines",
         R"(FAIL {"jid":"none-such","backtrace":["x")" + times(100'000, ",\"y\"") + "]}",
         "-ERR Job not found none-such"},
        {"BEAT of an odd wid", R"(BEAT {"wid":"\r\n+OK"})", "-ERR unknown worker   +OK"},
    };
}

// A client that works all the while; its longest wait for an answer.
class Bystander {
  public:
    void works() {
        auto began = Clock::now();
        std::string queue = "bystander", jid = fresh("bystander-");
        CHECK(wire_.ask("PUSH " + job_of(jid, queue)) == ok());
        CHECK(wire_.ask_json("FETCH " + queue).at("jid") == jid);
        CHECK(wire_.ask(R"(ACK {"jid":")" + jid + "\"}") == ok());
        longest_ = std::max(longest_, Clock::now() - began);
    }

    int64_t longest_ms() const {
        return std::chrono::duration_cast<std::chrono::milliseconds>(longest_).count();
    }

  private:
    Wire wire_ = shared().client();
    Clock::duration longest_{};
};

}  // namespace

TEST_CASE("hostile lines: each is answered by an error, and the connection goes on",
          "[faktory][hostile]") {
    Bystander other;
    other.works();
    int64_t before = resident_mib();
    Wire wire = shared().client(), local = shared().unix_client();
    for (const auto& bomb : bombs()) {
        INFO(bomb.name);
        for (Wire* link : {&wire, &local}) {
            std::string answer = link->ask(bomb.line);
            INFO(answer.substr(0, 300));
            CHECK(answer.starts_with(bomb.said.empty() ? "-ERR " : bomb.said));
            CHECK(answer.size() < 1'500);
            CHECK(link->ask("ACK {\"jid\":\"none\"}") == ok());
        }
        other.works();
    }
    CHECK(grown_mib(before) < 48);
    CHECK(other.longest_ms() < 5'000);
    // Nothing of it was stored but the job with the lone surrogate, once.
    CHECK(contains(wire.ask("FETCH hostile"), "hostile-job"));
    CHECK(wire.ask(R"(ACK {"jid":"hostile-job"})") == ok());
    CHECK(wire.ask("FETCH hostile") == "$-1");
}

TEST_CASE("hostile lines: one that does not end is refused at its limit, then closed",
          "[faktory][hostile]") {
    Bystander other;
    int64_t before = resident_mib();
    const std::pair<std::string, size_t> lines[] = {
        {"PUSH ", 2 * kMiB}, {"", 2 * kMiB}, {"PUSHB ", 20 * kMiB}, {"JOBQ STATUS ", 2 * kMiB}};
    for (const auto& [verb, bytes] : lines) {
        INFO(verb);
        Wire endless = shared().client(), whole = shared().unix_client();
        endless.send(verb + std::string(bytes, 'x'));
        std::string answer = endless.reply();
        CHECK(answer.starts_with("-ERR a line of this verb may have at most "));
        CHECK(endless.closes());
        whole.send(verb + std::string(bytes, 'x') + "\nACK {\"jid\":\"none\"}\n");
        CHECK(whole.reply() == answer);
        CHECK(whole.closes());
        other.works();
    }
    CHECK(grown_mib(before) < 64);
    CHECK(other.longest_ms() < 5'000);
}

TEST_CASE("hostile openings: before the handshake all that is no HELLO is closed in time",
          "[faktory][hostile]") {
    Bystander other;
    int64_t before = resident_mib();
    std::vector<Wire> wires;
    const std::string openings[] = {"",  // silence
                                    "\n",
                                    "\r\n",
                                    std::string(1, '\0'),
                                    "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                                    "*1\r\n$4\r\nPING\r\n",
                                    std::string(10 * kMiB, 'A'),
                                    std::string(10 * kMiB, '\n'),
                                    "HELLO {" + std::string(kMiB, ' ') + "}\n",
                                    "HELLO " + times(100'000, "[") + "\n",
                                    "HELLO {\"labels\":" + times(30'000, "[") + "}\n",
                                    "HELLO {\"v\":1e400}\n",
                                    "HELLO {\"wid\":\"\xFF\"}\n",
                                    "HELLO {"};
    for (const auto& opening : openings) {
        wires.push_back(shared().connect());
        wires.push_back(shared().connect());
        CHECK(wires.back().reply() == "+HI {\"v\":2}");
        wires.back().send(opening);
        wires[wires.size() - 2].send(opening);
    }
    other.works();
    for (size_t i = 1; i < wires.size(); i += 2)
        CHECK(wires[i].closes());
    other.works();
    CHECK(grown_mib(before) < 32);
    CHECK(other.longest_ms() < 2'000);
}

TEST_CASE("hostile floods: 100,000 pipelined lines, and a client that never reads",
          "[faktory][hostile]") {
    Bystander other;
    int64_t before = resident_mib();
    Wire reads = shared().client();
    // No more is in flight than what sockets hold: the answers are read in between.
    const std::string thousand = times(1'000, "nonsense\n");
    for (int i = 0; i < 100; ++i) {
        REQUIRE(reads.send(thousand));
        for (int k = 0; k < 1'000; ++k)
            REQUIRE(reads.reply() == "-ERR unknown command nonsense");
        if (i % 10 == 0) other.works();
    }
    // It asks for far more than it takes: it is not read from any more.
    Wire deaf = shared().client();
    const std::string infos = times(2'000, "INFO\n");
    size_t sent = 0;
    auto until = Clock::now() + std::chrono::seconds(2);
    for (int i = 0; i < 500 && Clock::now() < until; ++i) {
        if (!deaf.send_some(infos)) break;
        sent += infos.size();
        other.works();
    }
    INFO(sent << " bytes were taken");
    CHECK(grown_mib(before) < 32);
    CHECK(other.longest_ms() < 2'000);
}

TEST_CASE("hostile crowd: many half lines then silence, and jobs flow on", "[faktory][hostile]") {
    Bystander other;
    int64_t before = resident_mib();
    std::vector<Wire> crowd;
    for (int i = 0; i < 300; ++i) {
        crowd.push_back(i % 3 ? shared().client() : shared().connect());
        crowd.back().send("PUSH {\"jid\":\"half-a-line-" + std::string(size_t(i), 'x'));
        if (i % 30 == 0) other.works();
    }
    other.works();
    CHECK(grown_mib(before) < 48);
    crowd.clear();
    CHECK(other.longest_ms() < 2'000);
    Wire wire = shared().client();
    CHECK(eventually(
        [&] { return wire.ask_json("INFO").at("server").at("connections").get<int>() <= 3; }));
}

TEST_CASE("hostile bytes: random lines of a seed leave the server as it was",
          "[faktory][hostile]") {
    std::mt19937_64 random(20'261'124);
    Bystander other;
    int64_t before = resident_mib();
    const std::string verbs[] = {"PUSH ",        "PUSHB ",        "FETCH",  "ACK ",    "FAIL ",
                                 "BEAT ",        "INFO ",         "QUEUE ", "MUTATE ", "JOBQ ",
                                 "JOBQ STATUS ", "JOBQ ENQUEUE ", ""};
    const std::string pieces = "{}[]\":,\\0123456789.eE+-truefalsn \t\xC3\xA9\xFF\x01*";
    for (int round = 0; round < 60; ++round) {
        Wire wire = round % 2 ? shared().client() : shared().connect();
        std::string bytes;
        for (int line = 0; line < 40; ++line) {
            const std::string& verb = verbs[random() % std::size(verbs)];
            // A FETCH of odd names would wait: it gets none at all.
            bytes += verb;
            for (size_t n = verb == "FETCH" ? 0 : random() % 200; n > 0; --n)
                bytes += round % 3 ? pieces[random() % pieces.size()] : char(random() % 256);
            bytes += round % 5 ? "\n" : "\r\n";
        }
        wire.send(bytes + "END\n");
        CHECK(wire.bytes(4 * kMiB, 20'000).size() < kMiB);
        if (round % 10 == 0) other.works();
    }
    CHECK(grown_mib(before) < 32);
    CHECK(other.longest_ms() < 2'000);
}

}  // namespace jobq::test
