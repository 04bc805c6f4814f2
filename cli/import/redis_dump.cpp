// A private redis-server on an RDB file; see redis_dump.h.
#include "cli/import/redis_dump.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

#include "cli/base/interrupt.h"
#include "cli/import/redis_source.h"
#include "core/base/text.h"

namespace jobq::cli {
namespace {

constexpr int64_t kLookMs = 10;
constexpr int64_t kEndMs = 3'000;
// What reading a dump may take: a file of this size has no more in it.
constexpr int64_t kBaseBytes = 2LL << 30, kTimesFile = 50;
constexpr rlim_t kCpuSeconds = 3'600;
// By the clock: what a slow disk gives, and as much again for what Redis makes of it.
constexpr int64_t kLeastMs = 60'000, kBytesEachMs = 2 << 10;

// Debian's redis-check-rdb is the same program: it serves when it is called redis-server.
std::string find_server() {
    const char* path = std::getenv("PATH");
    for (const std::string_view name : {"redis-server", "valkey-server", "redis-check-rdb"}) {
        for (const auto folder : split(path == nullptr ? "" : path, ':')) {
            if (!folder.starts_with('/')) continue;
            std::string file = std::string(folder) + "/" + std::string(name);
            if (access(file.c_str(), X_OK) == 0) return file;
        }
    }
    return "";
}

void limit(int resource, rlim_t most) {
    const rlimit both{most, most};
    setrlimit(resource, &both);
}

bool is_rdb(const std::string& file) {
    char magic[5] = {};
    std::ifstream in(file, std::ios::binary);
    in.read(magic, sizeof magic);
    return in && std::string_view(magic, sizeof magic) == "REDIS";
}

}  // namespace

Answer<std::unique_ptr<RedisDump>> RedisDump::serve(const std::string& file,
                                                    std::optional<int64_t> limit_ms) {
    if (!is_rdb(file))
        return give_up(kBadData, "'" + printable(file) + "' is not a Redis dump (RDB file)",
                       "Faktory writes its dump to faktory.rdb in its storage directory");
    std::unique_ptr<RedisDump> dump(new RedisDump);
    std::error_code ignored;
    const auto bytes = int64_t(std::filesystem::file_size(file, ignored));
    const int64_t may_take =
        limit_ms.value_or(kLeastMs + std::max<int64_t>(0, bytes) / kBytesEachMs);
    const int64_t until = monotonic_ms() + may_take;
    if (auto started = dump->start(file); !started) return tl::unexpected(started.error());
    if (auto loaded = dump->await(file, until); !loaded) return tl::unexpected(loaded.error());
    return dump;
}

Answer<> RedisDump::start(const std::string& file) {
    const std::string program = find_server();
    if (program.empty())
        return give_up(kNoInput, "can't read a dump: redis-server is not in PATH",
                       "install it (Debian: apt install redis-tools)");
    const char* base = std::getenv("TMPDIR");
    std::string name = std::string(base != nullptr && *base != '\0' ? base : "/tmp");
    name += "/jobq-import-XXXXXX";
    if (mkdtemp(name.data()) == nullptr)
        return give_up(kNoInput, "can't create the directory '" + name + "': " + strerror(errno));
    directory_ = name;
    socket_ = directory_ + "/s";
    std::error_code failed;
    const auto target = std::filesystem::absolute(file, failed);
    std::filesystem::create_symlink(target, directory_ + "/dump.rdb", failed);
    if (failed)
        return give_up(kNoInput, "can't link '" + printable(file) + "': " + failed.message());
    std::vector<std::string> words{"redis-server", "--port", "0", "--unixsocket", socket_,
                                   "--unixsocketperm", "700", "--save", "", "--appendonly", "no",
                                   "--dir", directory_, "--dbfilename", "dump.rdb", "--logfile",
                                   directory_ + "/log", "--databases", "16",
                                   // It comes from somebody else, and is read with our rights.
                                   "--sanitize-dump-payload", "yes", "--enable-debug-command", "no",
                                   "--enable-module-command", "no"};
    std::string path = "PATH=/usr/local/bin:/usr/bin:/bin", locale = "LC_ALL=C";
    char* env[] = {path.data(), locale.data(), nullptr};

    struct stat dump {};

    ::stat(file.c_str(), &dump);
    std::vector<char*> argv;
    for (auto& word : words)
        argv.push_back(word.data());
    argv.push_back(nullptr);
    pid_ = fork();
    if (pid_ == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        setpgid(0, 0);  // ^C is for us
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, nullptr);
        const int null = open("/dev/null", O_RDWR);
        for (int fd = 0; fd < 3; ++fd)
            dup2(null, fd);
        limit(RLIMIT_CORE, 0);
        limit(RLIMIT_AS, rlim_t(kBaseBytes + kTimesFile * dump.st_size));
        limit(RLIMIT_CPU, kCpuSeconds);
        execve(program.c_str(), argv.data(), env);
        _exit(127);
    }
    if (pid_ < 0) return give_up(kNoInput, std::string("can't start Redis: ") + strerror(errno));
    return {};
}

// The last line of its log that is a warning.
std::string RedisDump::last_words() const {
    std::ifstream log(directory_ + "/log");
    std::string found;
    for (std::string line; std::getline(log, line);) {
        const size_t mark = line.find(" # ");
        const bool about_end = line.find("xit") != std::string::npos;
        if (mark != std::string::npos && !about_end) found = line.substr(mark + 3);
    }
    return printable(found);
}

Answer<> RedisDump::await(const std::string& file, int64_t until_ms) {
    while (true) {
        int how = 0;
        if (waitpid(pid_, &how, WNOHANG) == pid_) {
            ended_ = true;
            return give_up(kBadData,
                           "redis-server can't read '" + printable(file) + "': " + last_words(),
                           "a dump from a newer Redis requires that Redis version");
        }
        if (access(socket_.c_str(), F_OK) == 0) {
            const auto there = RedisSource::open(unix_endpoint(socket_).value());
            if (there) return {};
        }
        sleep_until(monotonic_ms() + kLookMs);
        if (interrupted()) return give_up(kInterrupted, "interrupted");
        if (monotonic_ms() >= until_ms)
            return give_up(kTimedOut, "redis-server takes too long to read " + printable(file),
                           "check that it is the right file, then use --timeout 1h");
    }
}

RedisDump::~RedisDump() {
    if (pid_ > 0 && !ended_) {
        ::kill(pid_, SIGTERM);
        const int64_t end = monotonic_ms() + kEndMs;
        while (waitpid(pid_, nullptr, WNOHANG) == 0) {
            if (monotonic_ms() > end) ::kill(pid_, SIGKILL);
            ::usleep(5'000);
        }
    }
    std::error_code ignored;
    if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
}

}  // namespace jobq::cli
