// What `jobq loadgen` is to do, and the parts of it that need no daemon: when each request is due,
// the ids of the jobs, and the text of the requests.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/text.h"

namespace jobq::cli {

enum class LoadMode : uint8_t { push, drain, both };

struct LoadPlan {
    LoadMode mode = LoadMode::both;
    int64_t jobs = 10'000;    // -1: until the time is over
    int64_t duration_ms = 0;  // 0: until all jobs are in
    int clients = 4;
    int window = 1;
    int64_t batch = 1;
    int64_t rate = 0;  // jobs a second; 0: as fast as the answers come
    std::string type = "noop";
    std::string queue;
    int64_t payload_bytes = 100;
    bool latency = false;
    bool check = true;

    bool drains_what_is_there() const { return mode == LoadMode::drain && jobs == 0; }
};

// Open loop: request k is due at a time that does not depend on how the earlier ones fared.
class LoadSchedule {
  public:
    LoadSchedule(int64_t start_us, int64_t rate, int64_t batch)
        : start_us_(start_us), rate_(rate), batch_(batch) {}

    // Without a rate all are due at once.
    int64_t due_us(int64_t request) const {
        if (rate_ == 0) return start_us_;
        const int64_t jobs = request * batch_;
        return start_us_ + jobs / rate_ * 1'000'000 + jobs % rate_ * 1'000'000 / rate_;
    }

    bool open_loop() const { return rate_ > 0; }

  private:
    int64_t start_us_, rate_, batch_;
};

// Jobs are numbered from 0; the id of one is that of the run followed by its number, so that
// nothing need be kept to know it again.
class LoadIds {
  public:
    // `run`: any id as core/base/id makes them.
    explicit LoadIds(std::string_view run) : run_(run.substr(0, kIdBytes - kDigits)) {}

    static constexpr size_t kIdBytes = 26;
    static constexpr size_t kDigits = 7;  // of base 32
    static constexpr int64_t kMost = int64_t(1) << (5 * kDigits);

    void append(std::string& out, int64_t number) const {
        out += run_;
        const size_t at = out.size();
        out.append(kDigits, '0');
        for (size_t i = kDigits; i-- > 0; number >>= 5)
            out[at + i] = kBase32[size_t(number & 31)];
    }

    std::string of(int64_t number) const {
        std::string id;
        append(id, number);
        return id;
    }

    // nullopt for an id that is not of this run.
    std::optional<int64_t> number(std::string_view id) const {
        if (id.size() != kIdBytes || !id.starts_with(run_)) return std::nullopt;
        int64_t value = 0;
        for (const char c : id.substr(run_.size())) {
            const size_t digit = kBase32.find(c);
            if (digit == std::string_view::npos) return std::nullopt;
            value = value << 5 | int64_t(digit);
        }
        return value;
    }

  private:
    static constexpr std::string_view kBase32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    std::string run_;
};

// Requests: PUSHB lines, whose answer is short whatever their length, or without batches PUSH, of
// which jobqd stores many together that come at once. Only the ids differ.
class LoadText {
  public:
    LoadText(const LoadPlan& plan, LoadIds ids) : single_(plan.batch == 1), ids_(std::move(ids)) {
        after_id_ = "\",\"jobtype\":" + json_quoted(plan.type) + ",\"args\":[" + payload(plan) +
                    "],\"queue\":" + json_quoted(plan.queue) + "}";
    }

    const LoadIds& ids() const { return ids_; }

    size_t bytes_a_job() const { return kBefore.size() + LoadIds::kIdBytes + after_id_.size() + 1; }

    void begin(std::string& out) const { out += single_ ? "PUSH " : "PUSHB ["; }

    void add(std::string& out, int64_t number) const {
        out += kBefore;
        ids_.append(out, number);
        out += after_id_;
        out += ',';
    }

    // Requires: at least one add(); exactly one without batches.
    void end(std::string& out) const {
        out.back() = single_ ? '\n' : ']';
        if (!single_) out += '\n';
    }

  private:
    static constexpr std::string_view kBefore = "{\"jid\":\"";

    // A JSON text of that many bytes; nothing for 0.
    static std::string payload(const LoadPlan& plan) {
        if (plan.payload_bytes == 0) return {};
        if (plan.payload_bytes == 1) return "1";
        return '"' + std::string(size_t(plan.payload_bytes - 2), 'x') + '"';
    }

    bool single_;
    LoadIds ids_;
    std::string after_id_;
};

}  // namespace jobq::cli
