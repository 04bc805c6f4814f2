// The password of the handshake: Faktory's hash, what a server asks in its greeting, and what a
// client answers. Called by sessions, by the runner's client and by jobq's.
//
// Must stay true: a password is never part of an error, and is compared in constant time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/error.h"

namespace jobq {

// How the answer to a HELLO begins whose password was not looked at: too many wrong ones came from
// its address.
inline constexpr std::string_view kTooManyGuesses = "ERR too many wrong passwords";

// h1 = SHA256(password + salt), then SHA256 over the raw bytes, `rounds` hashes in all, in hex.
std::string password_hash(std::string_view password, std::string_view salt, int64_t rounds);

// The server's side of one connection.
class PasswordCheck {
  public:
    // Asks for nothing and takes anybody.
    PasswordCheck() = default;
    // A fresh salt. `old_hash`: clients of protocol versions 0 and 1, which hash once whatever the
    // greeting says, are let in.
    PasswordCheck(std::shared_ptr<const std::string> password, bool old_hash);

    // The whole "+HI ..." line.
    std::string greeting() const;

    bool asks() const { return password_ != nullptr; }

    // Whether a HELLO with these members may come in. `version`: 0 when absent.
    bool accepts(int64_t version, std::string_view pwdhash) const;

  private:
    std::shared_ptr<const std::string> password_;  // null: none
    std::string salt_;
    bool old_hash_ = true;
};

// The client's side: pwdhash for the greeting's JSON, "" when the server asks for none.
// unauthorized: it wants a password and there is none; unavailable: it asks for what can't be
// meant.
Result<std::string> password_answer(std::string_view greeting_json, std::string_view password);

// In constant time, whatever their lengths.
bool same_password(std::string_view given, std::string_view wanted);

// A password as a variable gives it: the text itself, or the name of a file when it starts with
// "/". And as a file gives it: trimmed; an empty one is an error.
bool names_password_file(std::string_view value);

struct PasswordFile {
    std::string password;
    bool world_readable = false;
};

Result<PasswordFile> read_password_file(const std::string& path);
// Of JOBQ_PASSWORD or FAKTORY_PASSWORD: "" when `value` is.
Result<std::string> password_from_variable(const std::string& value);

}  // namespace jobq
