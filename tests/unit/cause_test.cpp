// Causes: what of an error's text tells failures apart, and what differs from job to job.
#include "core/job/cause.h"

#include <catch2/catch.hpp>
#include <string>

#include "core/base/limits.h"

namespace jobq {
namespace {

JobRecord failed(std::string error_type, std::string message) {
    JobRecord record;
    record.errors.push_back({});
    record.errors.back().error_type = std::move(error_type);
    record.errors.back().message = std::move(message);
    return record;
}

std::string print_of(const std::string& type, const JobRecord& record) {
    return cause_of(type, record).fingerprint();
}

}  // namespace

TEST_CASE("what varies from job to job is masked, words are not") {
    CHECK(masked("no space left on device") == "no space left on device");
    CHECK(masked("HTTP 503 after 12 tries") == "HTTP # after # tries");
    CHECK(masked("took 1.25s of 1,000") == "took #s of #");
    CHECK(masked("10.0.0.7:6379 refused") == "# refused");
    CHECK(masked("at 12:30:05") == "at #");
    CHECK(masked("order 3f2504e0-4f89-11d3-9a0c-0305e82c3301 is gone") == "order # is gone");
    CHECK(masked("object 0x7ffe12 and 0xdeadbeef") == "object # and #");
    CHECK(masked("commit 9fceb02d0ae598") == "commit #");
    CHECK(masked("job 01hzx3v9k2m4n5p6 failed") == "job # failed");
    CHECK(masked("user 'a7' not found") == "user '#' not found");
    CHECK(masked("key \"customer-17\" twice") == "key \"#\" twice");
    CHECK(masked("KeyError: 'email'") == "KeyError: 'email'");
    CHECK(masked("it's 5 o'clock") == "it's # o'clock");
    CHECK(masked("/srv/app7/file12.txt:31") == "/srv/app#/file#.txt:#");
    CHECK(masked("ActiveRecordV2Error") == "ActiveRecordV#Error");
    CHECK(masked("facade") == "facade");
    CHECK(masked("utf8") == "utf#");
    CHECK(masked("'").size() == 1);
    CHECK(masked("") == "");
    CHECK(masked("\xC3\xA9t\xC3\xA9 42") == "\xC3\xA9t\xC3\xA9 #");
}

TEST_CASE("jobs that differ in ids alone have one fingerprint, another class has another") {
    const auto one = print_of("mail", failed("Timeout", "no answer from 10.0.0.1 for job 17"));
    CHECK(one.size() == 16);
    CHECK(one == print_of("mail", failed("Timeout", "no answer from 10.0.0.22 for job 18")));
    CHECK(one != print_of("sms", failed("Timeout", "no answer from 10.0.0.1 for job 17")));
    CHECK(one != print_of("mail", failed("Refused", "no answer from 10.0.0.1 for job 17")));
    CHECK(one != print_of("mail", failed("Timeout", "no answer from db for job 17")));
    CHECK(one != print_of("mail", JobRecord{}));
    // The first line tells.
    CHECK(print_of("m", failed("E", "a\nstack 1")) == print_of("m", failed("E", "a\nother")));
    JobRecord killed;
    killed.reason = "killed";
    CHECK(print_of("mail", killed) != print_of("mail", JobRecord{}));
    // Stores keep it: it never changes.
    CHECK(print_of("mail", failed("Timeout", "after 5 s")) == "48f1bde8a736ff40");
}

TEST_CASE("a message is masked before it is cut, so that where it is cut varies with no number") {
    const std::string words(limits::kFilterTextBytes - 3, 'w');
    const auto short_one = cause_of("t", failed("E", words + " 1 behind"));
    const auto long_one = cause_of("t", failed("E", words + " 12345678 behind"));
    CHECK(short_one == long_one);
    CHECK(short_one.message.size() == limits::kFilterTextBytes);
    const std::string id(300, '7');
    CHECK(cause_of("t", failed("E", id + " tail")).message == "# tail");
}

TEST_CASE("a cause is what it was after it has been stored") {
    const Cause cause = cause_of("mail", failed("Time\"out", "a \\ b \xFF 7"));
    const Cause read = Cause::from_json(cause.to_json());
    CHECK(read.type == "mail");
    CHECK(read.error_type == "Time\"out");
    CHECK(Cause::from_json("{").type.empty());
    CHECK(Cause::from_json(R"({"type":7})").type.empty());
}

}  // namespace jobq
