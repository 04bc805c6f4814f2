#include "core/protocol/reply.h"

#include <string>

#include "core/base/text.h"

namespace jobq {
namespace {

constexpr size_t kLineBytes = 64 << 10;  // of a reply but for its bulk

tl::unexpected<Error> no_reply() {
    return fail(ErrorCode::bad_data, "the other side does not speak jobq's protocol");
}

}  // namespace

Result<std::optional<ReplyView>> read_reply(std::string_view unread, size_t most) {
    using Kind = ReplyView::Kind;
    const size_t end = unread.substr(0, kLineBytes + 2).find("\r\n");
    if (end == unread.npos && unread.size() > kLineBytes + 1) return no_reply();
    if (end == unread.npos) return std::optional<ReplyView>();
    if (end == 0) return no_reply();
    const char kind = unread.front();
    const std::string_view rest = unread.substr(1, end - 1);
    const size_t head = end + 2;
    if (kind == '+') return ReplyView{Kind::simple, rest, head};
    if (kind == '-') return ReplyView{Kind::error, rest, head};
    if (kind == '$' && rest == "-1") return ReplyView{Kind::null, {}, head};
    const auto size = parse_int(rest);
    if (kind != '$' || !size || *size < 0 || size_t(*size) > most) return no_reply();
    const size_t whole = head + size_t(*size) + 2;
    if (unread.size() < whole) return std::optional<ReplyView>();
    return ReplyView{Kind::bulk, unread.substr(head, size_t(*size)), whole};
}

Error error_of(std::string_view text) {
    const size_t space = text.find(' ');
    const std::string_view name = text.substr(0, space);
    return {error_code_from_name(name),
            std::string(space == text.npos ? text : text.substr(space + 1))};
}

}  // namespace jobq
