// LoadLink: one socket of `jobq loadgen`, never blocking: what is to be written, and the replies
// that have come, seen in place.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "cli/link/address.h"
#include "cli/link/wire.h"

namespace jobq::cli {

struct LoadReply {
    bool is_error = false;
    std::string_view text;  // until the next fill()
};

class LoadLink {
  public:
    // Connects and says HELLO, like Client.
    static Answer<LoadLink> open(const Target& target);

    LoadLink(LoadLink&& other) noexcept;
    LoadLink& operator=(LoadLink&&) = delete;

    int fd() const { return wire_.fd(); }

    // To be added to; flush() writes it.
    std::string& out() { return out_; }

    bool writing() const { return !out_.empty() || wire_.held_bytes() > 0; }

    // Both false when the connection is lost.
    [[nodiscard]] bool flush();
    [[nodiscard]] bool fill();

    // The next whole reply, nullopt when there is none yet.
    std::optional<LoadReply> next();

    // It said something that is no reply: nothing more can be read.
    bool broken() const { return broken_; }

  private:
    explicit LoadLink(Wire wire) : wire_(std::move(wire)) {}

    Wire wire_;
    std::string out_;
    size_t written_ = 0;  // of out_
    std::string in_;
    size_t taken_ = 0;  // of in_
    bool broken_ = false;
};

}  // namespace jobq::cli
