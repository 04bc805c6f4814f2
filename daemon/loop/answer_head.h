// AnswerHead: what the head of an HTTP answer says, told line by line as it comes. Fed by
// HttpSender; what counts is the head of the final answer, not those of 1xx before it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace jobq {

class AnswerHead {
  public:
    // With or without its end; lines behind the head (trailers) are passed over.
    void add(std::string_view line);

    // The line with the status is here.
    bool has_status() const { return status_ >= 200; }

    // And the whole head behind it.
    bool is_whole() const { return whole_; }

    int status() const { return status_; }

    // Retry-After in seconds, however many digits it has: at most a year. `date_s`: what libcurl
    // made of it when it is a date.
    std::optional<int64_t> retry_after_s(int64_t date_s) const;

  private:
    int status_ = 0;
    bool whole_ = false, says_when_ = false;
    std::optional<int64_t> retry_after_s_;
};

}  // namespace jobq
