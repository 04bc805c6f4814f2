#include "daemon/observe/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "core/base/text.h"

namespace jobq {
namespace {

struct LogState {
    std::shared_ptr<spdlog::logger> logger;
    bool json = false;
};

LogState& state() {
    static LogState instance = [] {
        LogState fresh;
        auto sink = std::make_shared<spdlog::sinks::stderr_sink_st>();
        fresh.logger = std::make_shared<spdlog::logger>("jobqd", std::move(sink));
        fresh.logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
        fresh.logger->flush_on(spdlog::level::warn);
        return fresh;
    }();
    return instance;
}

spdlog::level::level_enum level_of(LogLevel level) {
    switch (level) {
        case LogLevel::debug:
            return spdlog::level::debug;
        case LogLevel::info:
            return spdlog::level::info;
        case LogLevel::warn:
            return spdlog::level::warn;
        case LogLevel::error:
            return spdlog::level::err;
    }
    return spdlog::level::info;
}

void append_value(std::string& line, const LogValue& value, bool json) {
    if (const auto* number = std::get_if<int64_t>(&value)) {
        line += std::to_string(*number);
        return;
    }
    const auto& text = std::get<std::string>(value);
    bool bare = !json && !text.empty() && text.find_first_of(" \"=") == text.npos;
    line += bare ? printable(text) : json_quoted(to_utf8(printable(text)));
}

}  // namespace

void log_open(std::string_view level, bool json) {
    auto& s = state();
    s.json = json;
    s.logger->set_level(spdlog::level::from_str(std::string(level)));
    // The rest of the object is the message itself: see log().
    if (json) s.logger->set_pattern("{\"time\":\"%Y-%m-%dT%H:%M:%S.%e%z\",\"level\":\"%l\",%v}");
}

bool log_enabled(LogLevel level) {
    return state().logger->should_log(level_of(level));
}

void log(LogLevel level, std::string_view event, std::string_view text, LogFields fields) {
    auto& s = state();
    if (!s.logger->should_log(level_of(level))) return;
    std::string line;
    line.reserve(160);
    if (s.json) {
        line.append("\"event\":").append(json_quoted(event));
        if (!text.empty()) line.append(",\"text\":").append(json_quoted(to_utf8(printable(text))));
        for (const auto& [key, value] : fields) {
            if (std::holds_alternative<std::monostate>(value)) continue;
            line.append(",\"").append(key).append("\":");
            append_value(line, value, true);
        }
    } else {
        line.append(event);
        if (!text.empty()) line.append(": ").append(printable(text));
        for (const auto& [key, value] : fields) {
            if (std::holds_alternative<std::monostate>(value)) continue;
            line.append(" ").append(key).append("=");
            append_value(line, value, false);
        }
    }
    s.logger->log(level_of(level), "{}", line);
}

void log_flush() {
    state().logger->flush();
}

}  // namespace jobq
