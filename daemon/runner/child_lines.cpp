#include "daemon/runner/child_lines.h"

#include <algorithm>

#include "core/base/base64.h"
#include "core/base/file.h"
#include "core/base/text.h"
#include "core/json/field_reader.h"
#include "core/json/writer.h"

namespace jobq {
namespace {

using Kind = ChildMessage::Kind;

// Whatever is wrong with it, it is the job's own data.
template <class T>
Result<T> own(Result<T> read) {
    if (!read) read.error().code = ErrorCode::bad_data;
    return read;
}

// To a program it would be the end of the text.
void refuse_nul(FieldReader& from, const char* member, const std::string& text) {
    if (text.find('\0') != std::string::npos)
        from.refuse(std::string(member) + " has a NUL byte, which no program can be given");
}

}  // namespace

std::string write_child_job(const TakenJob& job) {
    JsonWriter json;
    json.begin_object().field("jid", job.jid).field("type", job.type).field("queue", job.queue);
    json.field("attempt", job.attempt).field("deadline", job.deadline);
    if (!job.traceparent.empty()) json.field("traceparent", job.traceparent);
    std::string payload = job.payload.empty() ? "null" : job.payload;
    // Between the tokens of JSON a line break is a blank; inside a string it can't be.
    std::replace_if(
        payload.begin(), payload.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
    json.key("args").raw(payload).end_object();
    return json.take() + "\n";
}

Result<ChildMessage> read_child_message(std::string_view line) {
    FieldReader from(line, limits::kJsonDepth);
    ChildMessage message;
    message.jid = from.some_text("jid");
    if (!from.has("ok")) {
        if (!from.has("progress")) from.refuse("it has neither \"ok\" nor \"progress\"");
        message.progress = std::clamp<int64_t>(from.number("progress"), 0, 100);
        message.note = from.text("note");
        return own(from.whole("a line of a child", std::move(message)));
    }
    message.kind = from.flag("ok") ? Kind::success : Kind::failure;
    if (message.kind == Kind::failure) {
        message.error = from.text("error");
        message.error_kind = from.text("kind");
        message.retry = from.flag("retry", true);
    } else if (const JsonField* result = from.field("result")) {
        message.result = result->raw;
    }
    return own(from.whole("a line of a child", std::move(message)));
}

Result<RunRequest> read_run_request(std::string_view payload) {
    FieldReader from(payload, limits::kJsonDepth);
    RunRequest request;
    request.argv = from.texts("argv");
    request.cwd = from.text("cwd");
    request.env = from.text_map("env");
    request.input = from.text("stdin");
    if (from.has("stdin_b64")) {
        auto bytes = base64_decode(from.text("stdin_b64"));
        if (!bytes) from.refuse("its stdin_b64 is not base64");
        request.input = bytes.value_or("");
    }
    if (request.argv.empty() || request.argv.front().empty())
        from.refuse("it names no command in argv");
    for (const auto& word : request.argv)
        refuse_nul(from, "argv", word);
    refuse_nul(from, "cwd", request.cwd);
    for (const auto& [name, value] : request.env) {
        if (name.empty() || name.find('=') != std::string::npos)
            from.refuse("env: '" + printable(name) + "' can't be the name of a variable");
        refuse_nul(from, "env", name);
        refuse_nul(from, "env", value);
    }
    if (from.has("umask")) {
        request.umask = parse_umask(from.text("umask"));
        if (!request.umask) from.refuse("umask must be an octal number such as \"022\"");
    }
    // Relative to what? The runner's own directory means nothing to who wrote it.
    if (!request.cwd.empty() && !request.cwd.starts_with('/'))
        from.refuse("cwd must be an absolute path, but '" + printable(request.cwd) + "' is not");
    return own(from.whole("the payload of a run job", std::move(request)));
}

}  // namespace jobq
