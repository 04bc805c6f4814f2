// What daemons of one store tell each other, read from whoever may send it.
#include "daemon/broker/hint.h"

#include <catch2/catch.hpp>

using namespace jobq;

namespace {

Hint of_queue(const std::string& queue, int count = 1, const std::string& type = "") {
    Hint hint;
    hint.kind = Hint::Kind::queue;
    hint.queue = queue;
    hint.count = count;
    hint.type = type;
    return hint;
}

Hint of_jobs(std::vector<std::string> jids, bool cancels) {
    Hint hint;
    hint.kind = Hint::Kind::jobs;
    hint.jids = std::move(jids);
    hint.cancels = cancels;
    return hint;
}

}  // namespace

TEST_CASE("hint: words of the channel are read as they are written") {
    CHECK(read_hint("") == Hint{});
    CHECK(read_hint("mail") == of_queue("mail"));
    CHECK(read_hint("mail 3 welcome") == of_queue("mail", 3, "welcome"));
    CHECK(read_hint("!cancel a b") == of_jobs({"a", "b"}, true));
    CHECK(read_hint("!end a") == of_jobs({"a"}, false));
}

TEST_CASE("hint: what is malformed makes somebody look in vain at worst") {
    CHECK(read_hint("mail 3") == of_queue("mail", 3));
    CHECK(read_hint("mail ") == of_queue("mail"));
    CHECK(read_hint("mail x welcome") == of_queue("mail", 1, "welcome"));
    CHECK(read_hint("mail -7 welcome") == of_queue("mail", 1, "welcome"));
    CHECK(read_hint("mail 99999999999999999999 t") == of_queue("mail", 1, "t"));
    CHECK(read_hint("mail 1000000000 t") == of_queue("mail", 10'000, "t"));
    CHECK(read_hint("mail 3 a b") == of_queue("mail", 3, "a b"));
    CHECK(read_hint("!") == of_jobs({}, false));
    CHECK(read_hint("!cancel") == of_jobs({}, true));
    CHECK(read_hint("!other a") == of_jobs({"a"}, false));
}
