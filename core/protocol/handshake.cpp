#include "core/protocol/handshake.h"

#include "core/json/fields.h"
#include "core/json/writer.h"
#include "core/protocol/password.h"

namespace jobq {

std::string write_hello(const Hello& hello) {
    JsonWriter json;
    json.begin_object().field("v", hello.version);
    if (hello.opted_in) json.field("jobq", 1);
    if (!hello.wid.empty()) json.field("wid", hello.wid);
    json.field("hostname", hello.hostname).field("pid", hello.pid).field("labels", hello.labels);
    if (hello.slots > 0) json.field("slots", hello.slots);
    if (!hello.username.empty()) json.field("username", hello.username);
    if (!hello.pwdhash.empty()) json.field("pwdhash", hello.pwdhash);
    json.end_object();
    return "HELLO " + json.take() + "\n";
}

Result<Hello> read_hello(std::string_view json) {
    auto object = JsonFields::parse(json, true);
    if (!object) return tl::unexpected<Error>(object.error());
    Hello hello;
    auto version = object->integer("v"), pid = object->integer("pid");
    auto rss = object->integer("rss_kb");
    auto labels = object->strings("labels");
    auto wid = object->string("wid"), hostname = object->string("hostname");
    auto username = object->string("username"), pwdhash = object->string("pwdhash");
    for (const auto* number : {&version, &pid, &rss})
        if (!*number) return tl::unexpected<Error>(number->error());
    if (!labels) return tl::unexpected<Error>(labels.error());
    for (const auto* text : {&wid, &hostname, &username, &pwdhash})
        if (!*text) return tl::unexpected<Error>(text->error());
    hello.version = version->value_or(0);
    if (hello.version < 0 || hello.version > 255)
        return fail(ErrorCode::bad_data, "\"v\" must be from 0 to 255");
    hello.pid = pid->value_or(0);
    hello.labels = labels->value_or(std::vector<std::string>());
    hello.wid = wid->value_or("");
    hello.hostname = hostname->value_or("");
    hello.username = username->value_or("");
    hello.pwdhash = pwdhash->value_or("");
    // Of these two another kind is no reason to refuse a Faktory client.
    auto opted = object->integer("jobq"), slots = object->integer("slots");
    hello.opted_in = opted && opted->value_or(0) == 1;
    hello.slots = slots ? slots->value_or(0) : 0;
    return hello;
}

Result<std::string> answer_greeting(std::string_view greeting, Hello hello,
                                    std::string_view password) {
    constexpr std::string_view kHi = "HI ";
    if (!greeting.starts_with(kHi) || greeting.substr(kHi.size(), 1) != "{")
        return fail(ErrorCode::unavailable, "the server at this address is not jobqd");
    auto hash = password_answer(greeting.substr(kHi.size()), password);
    if (!hash) return hash;
    hello.pwdhash = std::move(*hash);
    return write_hello(hello);
}

}  // namespace jobq
