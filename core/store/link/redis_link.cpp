// The wire form of a Redis command: see redis_link.h. Called for every script call, so arguments
// are written once, where they stay.
#include "core/store/link/redis_link.h"

#include <charconv>

#include "core/base/text.h"

namespace jobq {
namespace {

void append_head(std::string& out, char kind, uint64_t number) {
    char buffer[24];
    buffer[0] = kind;
    char* end = std::to_chars(buffer + 1, buffer + sizeof buffer - 2, number).ptr;
    *end++ = '\r';
    *end++ = '\n';
    out.append(buffer, size_t(end - buffer));
}

}  // namespace

Command& Command::add(std::string_view arg) {
    append_head(body_, '$', arg.size());
    body_.append(arg).append("\r\n", 2);
    ++args_;
    return *this;
}

Command& Command::add(int64_t arg) {
    char buffer[24];
    char* end = std::to_chars(buffer, buffer + sizeof buffer, arg).ptr;
    return add(std::string_view(buffer, size_t(end - buffer)));
}

const Reply& Reply::at(size_t place) const {
    static const Reply none;
    return place < items.size() ? items[place] : none;
}

int64_t integer_of(const Reply& reply) {
    if (reply.kind == Reply::Kind::integer) return reply.integer;
    return parse_int(reply.text).value_or(0);
}

void Command::write_to(std::string& out) const {
    append_head(out, '*', args_);
    out += body_;
}

}  // namespace jobq
