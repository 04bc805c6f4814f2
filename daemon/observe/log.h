// The log: one line per event on stderr, text or JSON. The only door to spdlog (log.cpp). Loop
// thread only. Payloads never go in; values are stripped of control characters.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace jobq {

enum class LogLevel : uint8_t { debug, info, warn, error };

using LogValue = std::variant<std::monostate, int64_t, std::string>;  // nothing is not written
using LogFields = std::initializer_list<std::pair<std::string_view, LogValue>>;

inline LogValue log_unless_empty(std::string text) {
    return text.empty() ? LogValue() : LogValue(std::move(text));
}

// `json`: one object a line. Before the first call: text, info.
void log_open(std::string_view level, bool json);
bool log_enabled(LogLevel level);
// `event` is a short stable name ("job.finished"), `text` what happened for people, or "".
void log(LogLevel level, std::string_view event, std::string_view text, LogFields fields = {});
// Lines are buffered within a turn of the loop; the daemon calls this at its end, and at exit.
void log_flush();

}  // namespace jobq
