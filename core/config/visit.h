// The list of all configuration keys, written once. visit_config() walks a Config and shows each
// key to a Visitor: the Loader fills the fields, the Printer writes them, the KeyLister names them.
// A key that is not in visit.cpp does not exist.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/config.h"

namespace jobq {

struct Range {
    int64_t low = 0, high = 0;
};

// What a string must look like; check.cpp has the rules. A path, and a program that is not a bare
// name, is made absolute, relative to the directory of the file it stands in.
enum class TextRule : uint8_t {
    path,
    umask,
    program,
    absolute_path,
    socket_path,
    address,
    http_address,
    host_names,
    web_origins,
    networks,
    base_path,
    redis_url,
    collector_url,
    words,
    name,
    web_url,
    web_origin,
    webhook_event
};

class Visitor {
  public:
    virtual ~Visitor() = default;

    // A section; `present`: the Config has it. When true, leave() follows after its keys.
    virtual bool enter(std::string_view name, bool present) = 0;
    virtual void leave() = 0;
    // The names of the free part of the section just entered, given those the Config has.
    virtual std::vector<std::string> children(const std::vector<std::string>& present) = 0;

    virtual void text(std::string_view key, std::string& field, TextRule rule) = 0;
    virtual void integer(std::string_view key, std::optional<int64_t>& field, Range range) = 0;
    virtual void duration(std::string_view key, int64_t& field_ms, Range range_ms) = 0;
    virtual void size(std::string_view key, int64_t& field_bytes, Range range_bytes) = 0;
    virtual void number(std::string_view key, double& field, double low, double high) = 0;
    virtual void boolean(std::string_view key, bool& field) = 0;
    // One of `names`; `index` is its place, nullopt when the key is absent.
    virtual void choice(std::string_view key, std::span<const std::string_view> names,
                        std::optional<size_t>& index) = 0;
    // An argv template.
    virtual void command(std::string_view key, std::vector<std::string>& field) = 0;
    // Strings, each of which the rule is for.
    virtual void words(std::string_view key, std::vector<std::string>& field, TextRule rule) = 0;
    virtual void queues(std::string_view key, std::vector<QueueWeight>& field, bool& strict) = 0;
    virtual void variables(std::string_view key, std::map<std::string, std::string>& field) = 0;
    virtual void exits(std::string_view key, std::map<int, Outcome>& field) = 0;
    // A key of a later version: refused with `what` it is for, named in no list.
    virtual void later(std::string_view key, std::string_view what) = 0;
};

void visit_config(Config& config, Visitor& visitor);

inline constexpr std::array<std::string_view, 4> kLogLevels{"debug", "info", "warn", "error"};
// Ends that a webhook can tell of.
inline constexpr std::array<std::string_view, 5> kWebhookEvents{"succeeded", "dead", "dropped",
                                                                "cancelled", "expired"};
inline constexpr std::array<std::string_view, 3> kPoolKindNames{"exec", "child", "thread"};
inline constexpr std::array<std::string_view, 2> kLogFormatNames{"text", "json"};

// The name in keys and messages: "email", or "\"a.b\"" where TOML needs the quotes.
std::string toml_key(std::string_view name);
// "pool.default" + "slots"; no dot before the first part.
std::string join_path(std::string_view section, std::string_view key);

}  // namespace jobq
