// See redis_filter.h. Commands are read in the form in which jobqd sends them.
#include "tests/support/redis_filter.h"

#include <memory>

#include "core/store/link/script.h"

namespace jobq::test {
namespace {

// The length of the first whole command, 0 when there is none; its words.
size_t command_in(const std::string& in, std::vector<std::string>& words) {
    size_t at = 0;
    auto number = [&](size_t& value) {
        const size_t end = in.find("\r\n", at);
        if (end == in.npos) return false;
        value = std::stoul(in.substr(at + 1, end - at - 1));
        at = end + 2;
        return true;
    };
    size_t count = 0;
    words.clear();
    if (!number(count)) return 0;
    for (size_t n = 0; n < count; ++n) {
        size_t size = 0;
        if (!number(size) || in.size() < at + size + 2) return 0;
        words.push_back(in.substr(at, size));
        at += size + 2;
    }
    return at;
}

std::string bulk_of(const std::string& text) {
    return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

}  // namespace

class RedisFilter::Way final : public Passage {
  public:
    explicit Way(RedisFilter& filter) : filter_(filter) {}

    bool to_server(std::string_view bytes, int server) override {
        in_ += bytes;
        std::string out;
        std::vector<std::string> words;
        while (const size_t size = command_in(in_, words)) {
            out += filter_.filtered(words, in_.substr(0, size));
            in_.erase(0, size);
        }
        return send_all(server, out);
    }

  private:
    RedisFilter& filter_;
    std::string in_;  // not a whole command yet
};

RedisFilter::RedisFilter(std::string target_path)
    : relay_(dir_ / "filter.sock", std::move(target_path),
             [this] { return std::make_unique<Way>(*this); }) {}

void RedisFilter::refuse(std::string error, std::set<std::string> scripts) {
    std::lock_guard lock(mutex_);
    error_ = std::move(error);
    refused_ = 0;
    refused_shas_.clear();
    for (const auto& script : all_scripts()) {
        const bool chosen = scripts.empty() ? script.kind != ScriptKind::reads
                                            : scripts.count(std::string(script.name)) > 0;
        if (chosen) refused_shas_.insert(std::string(script.sha));
    }
}

void RedisFilter::pass() {
    std::lock_guard lock(mutex_);
    refused_shas_.clear();
}

int RedisFilter::refused() const {
    std::lock_guard lock(mutex_);
    return refused_;
}

std::string RedisFilter::filtered(const std::vector<std::string>& words, const std::string& raw) {
    std::lock_guard lock(mutex_);
    if (refused_shas_.empty()) return raw;
    const bool probe = words[0] == "DEL";
    const bool chosen = words[0] == "EVALSHA" && refused_shas_.count(words[1]) > 0;
    if (!probe && !chosen) return raw;
    ++refused_;
    return "*4\r\n" + bulk_of("EVAL") + bulk_of("return redis.error_reply(ARGV[1])") +
           bulk_of("0") + bulk_of(error_);
}

}  // namespace jobq::test
