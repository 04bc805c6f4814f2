// greet(): AUTH, SELECT, CLIENT SETNAME and INFO in one write, then PING until Redis is ready, then
// a write that changes nothing. All of the first are allowed while Redis loads its data, so a wrong
// password is found at once.
#include "daemon/redis/greeting.h"

#include <algorithm>
#include <optional>

#include "core/base/text.h"
#include "core/store/link/redis_errors.h"

namespace jobq {
namespace {

constexpr int64_t kLoadingPollMinMs = 5, kLoadingPollMaxMs = 100, kLoadingStayMs = 5'000;
constexpr int64_t kLoadingLookMs = 500;

std::string field_of(std::string_view info, std::string_view name) {
    for (std::string_view line : split(info, '\n')) {
        if (line.starts_with(name) && line.substr(name.size()).starts_with(":"))
            return std::string(trim(line.substr(name.size() + 1)));
    }
    return "";
}

// An error reply to one of the first commands, as an Error of ours.
Error refused(const std::string& where, const std::string& doing, const Reply& reply) {
    std::string text = where + " refused " + doing + ": " + printable(reply.text);
    // For these a person has to change something; others (too many clients) may pass.
    for (std::string_view lasting :
         {"WRONGPASS", "NOAUTH", "NOPERM", "DENIED", "ERR invalid pass", "ERR AUTH", "ERR DB index",
          "ERR unknown command", "ERR wrong number", "ERR SELECT"})
        if (reply.text.starts_with(lasting)) return Error{ErrorCode::config, text};
    return Error{ErrorCode::unavailable, text};
}

// In the order they were sent: the first refusal is often the last reply.
Result<> passed_all(const std::string& where, const Result<Reply>& auth,
                    const Result<Reply>& select, const Result<Reply>& name) {
    if (!auth) return tl::unexpected<Error>(auth.error());
    if (auth->is_error()) return tl::unexpected<Error>(refused(where, "the login", *auth));
    if (!select) return tl::unexpected<Error>(select.error());
    if (select->is_error()) return tl::unexpected<Error>(refused(where, "the database", *select));
    if (!name) return tl::unexpected<Error>(name.error());
    // A name is a courtesy; a user that may not set one can still be good enough.
    if (name->is_error() && !name->text.starts_with("NOPERM"))
        return tl::unexpected<Error>(refused(where, "the connection", *name));
    return {};
}

Result<> check_version(const std::string& where, const Reply& reply) {
    if (reply.is_error()) return tl::unexpected<Error>(refused(where, "INFO", reply));
    std::string version = field_of(reply.text, "redis_version");
    int major = redis_major_version(reply.text);
    if (major == 0) return fail(ErrorCode::config, where + " does not answer like a Redis server");
    if (major < kRedisMajorNeeded)
        return fail(ErrorCode::config,
                    where + " runs Redis " + printable(version) + ", but jobq requires " +
                        std::to_string(kRedisMajorNeeded) +
                        ".0 or newer; upgrade it, or omit [redis] url to let jobqd start its own");
    return {};
}

Loading loading_of(const Reply& info) {
    Loading loading;
    loading.loaded_bytes = parse_int(field_of(info.text, "loading_loaded_bytes")).value_or(0);
    loading.total_bytes = parse_int(field_of(info.text, "loading_total_bytes")).value_or(0);
    loading.left_s = parse_int(field_of(info.text, "loading_eta_seconds")).value_or(0);
    return loading;
}

// Any other error of PING (MISCONF: can't write; reads work) is for the commands to meet.
task<Result<>> wait_loaded(UvReactor& reactor, RedisConnection& connection, Greeting greeting) {
    int64_t pause_ms = kLoadingPollMinMs, until = reactor.now_ms() + kLoadingStayMs, look_ms = 0;
    std::optional<Loading> told;
    while (true) {
        Command ping("PING");
        auto reply = co_await connection.call(std::move(ping));
        if (!reply) co_return tl::unexpected<Error>(reply.error());
        if (!reply->is_error()) co_return Result<>();
        const RedisError& error = redis_error_of(reply->text);
        const bool loading = error.reason == "loading";
        if (!loading && error.reason != "busy" && error.means != RedisMeans::leave_link)
            co_return Result<>();
        const bool leaves =
            error.means == RedisMeans::leave_link && (!loading || reactor.now_ms() >= until);
        if (leaves) co_return fail(ErrorCode::unavailable, why_left(greeting.address, reply->text));
        if (greeting.on_loading && reactor.now_ms() >= look_ms) {
            look_ms = reactor.now_ms() + kLoadingLookMs;
            Command ask("INFO", std::string_view("persistence"));
            auto info = co_await connection.call(std::move(ask));
            if (!info) co_return tl::unexpected<Error>(info.error());
            const Loading now = loading_of(*info);
            if (now != told) greeting.on_loading(now);
            told = now;
        }
        sleep_for pause(reactor, pause_ms);
        co_await pause;
        pause_ms = std::min(kLoadingPollMaxMs, pause_ms * 2);
    }
}

// Whether the writes of this server are jobq's to make at all. Other refusals pass, or are for the
// commands to meet: reads work.
task<Result<>> check_writes(RedisConnection& connection, Greeting greeting) {
    if (greeting.probe_key.empty()) co_return Result<>();
    Command write("DEL", greeting.probe_key);
    auto reply = co_await connection.call(std::move(write));
    if (!reply) co_return tl::unexpected<Error>(reply.error());
    const bool leaves =
        reply->is_error() && redis_error_of(reply->text).means == RedisMeans::leave_link;
    if (leaves) co_return fail(ErrorCode::unavailable, why_left(greeting.address, reply->text));
    co_return Result<>();
}

}  // namespace

std::string Loading::text() const {
    if (total_bytes <= 0) return "";
    const int64_t percent =
        std::min<int64_t>(99, loaded_bytes / std::max<int64_t>(total_bytes / 100, 1));
    std::string text =
        std::to_string(percent) + " % of " + std::to_string(total_bytes >> 20) + " MiB";
    if (left_s > 0) text += ", about " + std::to_string(left_s) + " s left";
    return text;
}

int redis_major_version(std::string_view info) {
    std::string version = field_of(info, "redis_version");
    auto major = parse_int(std::string_view(version).substr(0, version.find('.')));
    return major && *major > 0 && *major < 1'000 ? int(*major) : 0;
}

std::string why_left(const RedisAddress& address, const std::string& reply) {
    const RedisError& error = redis_error_of(reply);
    return std::string(error.meaning) + " (" + address.text() + " answers " +
           printable(reply.substr(0, reply.find(' '))) + ")";
}

task<Result<>> greet(UvReactor& reactor, RedisConnection& connection, Greeting greeting) {
    const RedisAddress& address = greeting.address;
    std::string where = "Redis at " + address.text();
    PendingCall auth(reactor), select(reactor), name(reactor), info(reactor);
    bool has_auth = !address.password.empty(), has_select = address.database != 0;
    if (has_auth && address.user.empty()) {
        connection.send(Command("AUTH", address.password), auth);
    } else if (has_auth) {
        connection.send(Command("AUTH", address.user, address.password), auth);
    }
    if (has_select) connection.send(Command("SELECT", address.database), select);
    connection.send(Command("CLIENT", std::string_view("SETNAME"), greeting.client_name), name);
    connection.send(Command("INFO", std::string_view("server")), info);

    // All are awaited before anything is decided: each must have its end.
    Reply none;
    Result<Reply> auth_reply = none, select_reply = none;
    if (has_auth) auth_reply = co_await auth;
    if (has_select) select_reply = co_await select;
    Result<Reply> name_reply = co_await name;
    Result<Reply> info_reply = co_await info;

    auto passed = passed_all(where, auth_reply, select_reply, name_reply);
    if (!passed) co_return passed;
    if (!info_reply) co_return tl::unexpected<Error>(info_reply.error());
    auto version = check_version(where, *info_reply);
    if (!version) co_return version;
    auto loaded = co_await wait_loaded(reactor, connection, greeting);
    if (!loaded) co_return loaded;
    co_return co_await check_writes(connection, greeting);
}

}  // namespace jobq
