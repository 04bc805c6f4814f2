// core/job/codec: what was written is read back; what is damaged is refused, never crashes.
#include "core/job/codec.h"

#include <catch2/catch.hpp>
#include <functional>

#include "core/base/crc32c.h"
#include "core/base/rng.h"
#include "core/base/text.h"

using namespace jobq;

namespace {

std::string random_text(Rng& rng, uint64_t most) {
    std::string text;
    for (uint64_t n = rng.below(most); n > 0; --n)
        text += char(' ' + rng.below(95));
    return text;
}

int64_t random_int(Rng& rng) {
    int64_t value = int64_t(rng.next() >> rng.below(64));
    return rng.below(4) == 0 ? -value : value;
}

Job random_job(Rng& rng) {
    auto maybe = [&] { return rng.below(2) == 0; };
    Job job;
    job.jid = "jid-" + random_text(rng, 20);
    job.type = "t" + random_text(rng, 40);
    job.queue = "q" + std::to_string(rng.below(1000));
    job.priority = int(1 + rng.below(9));
    job.args = "[" + random_text(rng, maybe() ? 10 : 5000) + "]";
    if (maybe()) job.created_ms = random_int(rng);
    if (maybe()) job.run_at_ms = random_int(rng);
    if (maybe()) job.retry = int(rng.next());
    if (maybe()) job.max_attempts = int(rng.below(1000));
    if (maybe()) job.timeout_ms = random_int(rng);
    if (maybe()) job.reserve_for_s = random_int(rng);
    if (maybe()) job.backtrace = random_int(rng);
    if (maybe()) job.expires_ms = random_int(rng);
    if (maybe()) job.at = random_text(rng, 40);
    if (maybe()) job.created_at = random_text(rng, 40);
    if (maybe()) job.custom = random_text(rng, 400);
    if (maybe()) job.tags = random_text(rng, 100);
    if (maybe()) job.idempotency_key = random_text(rng, 100);
    if (maybe()) job.traceparent = random_text(rng, 60);
    if (maybe()) job.webhook = random_text(rng, 60);
    return job;
}

JobRecord random_record(Rng& rng) {
    JobRecord record;
    record.attempts = int(rng.below(1000));
    record.crashes = int(rng.below(4));
    record.lost = int(rng.below(4));
    record.first_failed_ms = random_int(rng);
    record.next_at_ms = random_int(rng);
    record.ready_ms = random_int(rng);
    record.reason = random_text(rng, 20);
    record.failure = random_text(rng, 50);
    for (uint64_t n = rng.below(5); n > 0; --n) {
        Attempt attempt;
        attempt.number = int(rng.below(100));
        attempt.outcome = Outcome(rng.below(uint64_t(Outcome::count_)));
        attempt.started_ms = random_int(rng);
        attempt.ended_ms = random_int(rng);
        attempt.error_type = random_text(rng, 30);
        attempt.message = random_text(rng, 90) + "\xE2\x82\xAC\n\"";
        for (uint64_t lines = rng.below(3); lines > 0; --lines)
            attempt.backtrace.push_back(random_text(rng, 30));
        if (rng.below(2)) attempt.exit_code = int(rng.below(256));
        if (rng.below(2)) attempt.signal = int(rng.below(64));
        attempt.worker = random_text(rng, 20);
        record.errors.push_back(attempt);
    }
    return record;
}

FinalRecord random_final(Rng& rng) {
    constexpr State kStates[] = {State::succeeded, State::cancelled, State::expired};
    FinalRecord record;
    record.state = kStates[rng.below(3)];
    record.type = random_text(rng, 40);
    record.queue = random_text(rng, 40);
    record.worker = random_text(rng, 40);
    record.created_ms = random_int(rng);
    record.started_ms = random_int(rng);
    record.finished_ms = random_int(rng);
    record.attempts = int(rng.below(100));
    if (rng.below(2)) record.exit_code = int(rng.below(256));
    if (rng.below(2)) record.signal = 0;
    record.user_cpu_ms = random_int(rng);
    record.system_cpu_ms = random_int(rng);
    record.max_rss_kib = random_int(rng);
    record.tags = R"(["a\"b"])";
    for (uint64_t n = rng.below(100); n > 0; --n)
        record.result += char(rng.next());
    record.result_is_json = rng.below(2) == 0;
    if (rng.below(2) == 0) record.result_cut = {int64_t(rng.below(100)), int64_t(rng.below(100))};
    return record;
}

// What a jobqd of schema 1 would have stored.
std::string as_schema_1(std::string envelope) {
    envelope[0] = envelope[0] == kKindRecord ? kKindRecord1 : kKindPlain1;
    return envelope.erase(3 + size_t(envelope[2]), kChecksumBytes);
}

// Every way to cut `bytes`, then 10,000 flips of one to three bytes: read() must come back each
// time.
void damage(const std::string& bytes, const std::function<bool(std::string_view)>& read) {
    int refused = 0;
    for (size_t size = 0; size < bytes.size(); ++size)
        // A copy of that very size, so that a sanitizer sees a read past its end.
        refused += !read(std::string(bytes, 0, size));
    CHECK(refused > 0);
    Rng rng(7);
    for (int i = 0; i < 10'000; ++i) {
        std::string damaged = bytes;
        for (uint64_t n = 1 + rng.below(3); n > 0; --n)
            damaged[rng.below(damaged.size())] = char(rng.next());
        read(damaged);
    }
}

}  // namespace

TEST_CASE("any job is read back from its envelope as it was") {
    Rng rng(1);
    for (int i = 0; i < 3000; ++i) {
        Job job = random_job(rng);
        std::string bytes = encode_job(job, i % 2 == 0);
        CHECK(bytes[0] == (i % 2 == 0 ? kKindRecord : kKindPlain));
        auto read = decode_job(job.jid, bytes);
        REQUIRE(read);
        REQUIRE(*read == job);
    }
}

TEST_CASE("scripts find kind, priority and queue at fixed places of an envelope") {
    Job job;
    job.jid = "12345678";
    job.type = "email";
    job.queue = "mail";
    job.priority = 7;
    std::string bytes = encode_job(job, false);
    CHECK(bytes.substr(0, 2) == ":7");
    CHECK(bytes[2] == 4);
    CHECK(bytes.substr(3, 4) == "mail");
}

TEST_CASE("the envelope of a small job is small") {
    Job job;
    job.jid = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
    job.type = "email";
    job.args = "[1]";
    job.created_ms = 1'795'305'600'000;
    CHECK(encode_job(job, false).size() == 34);
}

TEST_CASE("an envelope from a newer jobqd is read without the fields it does not know") {
    Rng rng(2);
    Job job = random_job(rng);
    std::string bytes = encode_job(job, false);
    size_t after_queue = 3 + job.queue.size();
    bytes.insert(after_queue + kChecksumBytes, "Z\x05hello");
    bytes.replace(after_queue, kChecksumBytes, checksum_for(job.jid, bytes));
    auto read = decode_job(job.jid, bytes);
    REQUIRE(read);
    CHECK(*read == job);
}

TEST_CASE("the head of an envelope gives the fields before the cut") {
    Job job;
    job.jid = "12345678";
    job.type = "email";
    job.created_ms = 5;
    job.args = std::string(5000, ' ');
    auto head = decode_job_head(job.jid, encode_job(job, false).substr(0, 2048));
    REQUIRE(head);
    CHECK(head->created_ms == 5);
    CHECK(head->args.empty());
    CHECK_FALSE(decode_job(job.jid, encode_job(job, false).substr(0, 2048)));
}

TEST_CASE("an envelope that can't be meant is corrupt") {
    Job job;
    job.jid = "12345678";
    job.type = "email";
    std::string good = encode_job(job, false);
    good = as_schema_1(good);  // where no checksum would tell
    auto code = [&](std::string bytes) { return decode_job("12345678", bytes).error().code; };
    CHECK(code("") == ErrorCode::corrupt);
    CHECK(code("?" + good.substr(1)) == ErrorCode::corrupt);
    CHECK(code(".0" + good.substr(2)) == ErrorCode::corrupt);
    CHECK(code(good + "T") == ErrorCode::corrupt);
    CHECK(code(good + std::string("T\x01\x80", 3)) == ErrorCode::corrupt);      // unfinished number
    CHECK(code(good + "c" + std::string(11, '\xFF')) == ErrorCode::corrupt);    // endless length
    CHECK(code(good + "R\x06\xFE\xFF\xFF\xFF\xFF\x01") == ErrorCode::corrupt);  // over int
    CHECK(code(good.substr(0, 3 + job.queue.size())) == ErrorCode::corrupt);    // no type
}

TEST_CASE("every flipped bit of an envelope is noticed, and so is another jid") {
    Rng rng(5);
    for (int i = 0; i < 20; ++i) {
        Job job = random_job(rng);
        std::string good = encode_job(job, i % 2 == 0);
        REQUIRE(decode_job(job.jid, good));
        for (size_t bit = 0; bit < 8 * good.size(); ++bit) {
            std::string bytes = good;
            bytes[bit / 8] = char(bytes[bit / 8] ^ (1 << (bit % 8)));
            auto read = decode_job(job.jid, bytes);
            if (read) FAIL("bit " << bit << " of " << printable(good));
        }
        for (size_t bit = 0; bit < 8 * job.jid.size(); ++bit) {
            std::string other = job.jid;
            other[bit / 8] = char(other[bit / 8] ^ (1 << (bit % 8)));
            if (decode_job(other, good)) FAIL("bit " << bit << " of " << job.jid);
        }
    }
}

TEST_CASE("a job whose kind became another is refused, whatever it is now") {
    Job job;
    job.jid = "12345678";
    job.type = "email";
    job.args = "[1,2,3]";
    std::string bytes = encode_job(job, false);
    for (int kind = 0; kind < 256; ++kind) {
        bytes[0] = char(kind);
        const bool known = bytes[0] == kKindPlain || bytes[0] == kKindRecord;
        INFO(kind);
        CHECK(decode_job(job.jid, bytes).has_value() == known);
        CHECK_FALSE(is_tombstone(bytes));
    }
    CHECK(is_tombstone("x5\x04mail"));
}

TEST_CASE("an envelope keeps its checksum when the job gets a record, and can get one for a jid") {
    Rng rng(6);
    Job job = random_job(rng);
    std::string bytes = encode_job(job, false);
    bytes[0] = kKindRecord;
    CHECK(decode_job(job.jid, bytes).value() == job);
    bytes.replace(3 + job.queue.size(), kChecksumBytes, checksum_for("other", bytes));
    CHECK_FALSE(decode_job(job.jid, bytes));
    job.jid = "other";
    CHECK(decode_job("other", bytes).value() == job);
}

TEST_CASE("envelopes of schema 1, without a checksum, are read") {
    Rng rng(8);
    for (int i = 0; i < 100; ++i) {
        Job job = random_job(rng);
        auto read = decode_job(job.jid, as_schema_1(encode_job(job, i % 2 == 0)));
        REQUIRE(read);
        CHECK(*read == job);
    }
}

TEST_CASE("what a damaged envelope may still say is told") {
    Job job;
    job.jid = "12345678";
    job.type = "email";
    job.queue = "mail";
    job.priority = 7;
    std::string bytes = encode_job(job, false) + "A\x01!";
    CHECK(salvage_job(job.jid, bytes) == job);
    CHECK(salvage_job(job.jid, "!7\x04mail" + bytes) == job);
    Job unknown;
    unknown.jid = job.jid;
    unknown.queue.clear();
    for (const char* text : {"", ":", ":0\x04mail", ":5\x09mail", ":5\x04m il"})
        CHECK(salvage_job(job.jid, text) == unknown);
    for (size_t size = 0; size < bytes.size(); ++size)
        CHECK(salvage_job(job.jid, std::string(bytes, 0, size)).jid == job.jid);
}

TEST_CASE("both ways to a CRC-32C give RFC 3720's numbers") {
    for (auto crc : {crc32c, crc32c_by_table}) {
        CHECK(crc(0, "123456789") == 0xE3069283);
        CHECK(crc(0, std::string(32, '\0')) == 0x8A9136AA);
        CHECK(crc(0, std::string(32, '\xFF')) == 0x62A8AB43);
        CHECK(crc(crc(0, "1234"), "56789") == 0xE3069283);
        CHECK(crc(0, "") == 0);
    }
    Rng rng(9);
    for (int i = 0; i < 300; ++i) {
        std::string text = random_text(rng, 70);
        CHECK(crc32c(7, text) == crc32c_by_table(7, text));
    }
}

TEST_CASE("damaged envelopes never crash the reader") {
    Rng rng(3);
    Job job = random_job(rng);
    job.args = "[1,2,3]";
    damage(encode_job(job, true),
           [&](std::string_view bytes) { return decode_job(job.jid, bytes).has_value(); });
    damage(encode_job(job, true), [&](std::string_view bytes) {
        auto head = decode_job_head(job.jid, bytes);
        return head.has_value();
    });
}

TEST_CASE("any record is read back as it was") {
    Rng rng(4);
    for (int i = 0; i < 500; ++i) {
        JobRecord record = random_record(rng);
        auto read = decode_record(encode_record(record));
        REQUIRE(read);
        REQUIRE(*read == record);
    }
    CHECK(decode_record(encode_record({})) == JobRecord{});
}

TEST_CASE("a record with bytes that are no UTF-8 is stored with replacements") {
    JobRecord record;
    record.errors.emplace_back().message = "a\xFF";
    auto read = decode_record(encode_record(record));
    REQUIRE(read);
    CHECK(read->errors[0].message == "a\xEF\xBF\xBD");
}

TEST_CASE("damaged records never crash the reader") {
    Rng rng(5);
    JobRecord record = random_record(rng);
    record.errors.resize(1);
    record.errors[0].message = "broke";
    damage(encode_record(record),
           [](std::string_view text) { return decode_record(text).has_value(); });
    for (const char* bad : {"", "[]", "null", "{\"attempts\":\"1\"}", "{\"errors\":{}}",
                            "{\"errors\":[1]}", "{\"attempts\":18446744073709551615}",
                            "{\"attempts\":1.5}", "{\"errors\":[{\"outcome\":\"odd\"}]}"}) {
        INFO(bad);
        auto read = decode_record(bad);
        REQUIRE_FALSE(read);
        CHECK(read.error().code == ErrorCode::corrupt);
    }
}

TEST_CASE("any final record is read back as it was, its result byte for byte") {
    Rng rng(6);
    for (int i = 0; i < 1000; ++i) {
        FinalRecord record = random_final(rng);
        auto read = decode_final(encode_final(record));
        REQUIRE(read);
        REQUIRE(*read == record);
    }
}

TEST_CASE("damaged final records never crash the reader, and a cut result is noticed") {
    Rng rng(8);
    FinalRecord record = random_final(rng);
    record.result = "hello";
    std::string bytes = encode_final(record);
    damage(bytes, [](std::string_view text) { return decode_final(text).has_value(); });
    for (size_t size = 0; size < bytes.size(); ++size)
        CHECK_FALSE(decode_final(bytes.substr(0, size)));
    CHECK_FALSE(decode_final("{\"state\":\"running\"}\n"));
    CHECK_FALSE(decode_final("{\"state\":\"odd\"}\n"));
}
