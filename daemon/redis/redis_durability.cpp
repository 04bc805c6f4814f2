#include "daemon/redis/redis_durability.h"

namespace jobq {
namespace {

std::string value_of(const Reply& pairs, std::string_view key) {
    for (size_t i = 0; i + 1 < pairs.items.size(); i += 2)
        if (pairs.items[i].text == key) return pairs.items[i + 1].text;
    return "";
}

std::string by_settings(const Reply& pairs) {
    if (value_of(pairs, "appendonly") == "no") return "memory";
    if (value_of(pairs, "appendonly") != "yes") return "unknown";
    // While the file is rewritten nothing would be synced at all.
    if (value_of(pairs, "no-appendfsync-on-rewrite") != "no") return "memory";
    std::string sync = value_of(pairs, "appendfsync");
    if (sync == "always") return "fsync";
    return sync == "everysec" ? "everysec" : "memory";
}

}  // namespace

task<std::string> ask_durability(RedisLink& link) {
    // Several in one call since Redis 7.0, which is the oldest we know.
    Command ask("CONFIG", std::string_view("GET"), std::string_view("appendonly"),
                std::string_view("appendfsync"), std::string_view("no-appendfsync-on-rewrite"));
    auto pairs = co_await link.call(std::move(ask));
    if (!pairs) co_return std::string("unknown");
    if (!pairs->is_error()) co_return by_settings(*pairs);
    Command info("INFO", std::string_view("persistence"));
    auto text = co_await link.call(std::move(info));
    bool off = text && text->text.find("aof_enabled:0") != std::string::npos;
    co_return std::string(off ? "memory" : "unknown");
}

}  // namespace jobq
