// Access: who may come in now, and what they may do then. Must stay true: `door` is never null
// while anything listens; a reload exchanges it whole.
#pragma once

#include <memory>

#include "daemon/broker/caller.h"
#include "daemon/server/door.h"
#include "daemon/server/guesses.h"

namespace jobq {

struct Access {
    std::shared_ptr<const Door> door{};
    Guesses guesses{};
    Scopes granted{};  // what a client that was let in may do: the one password gives all

    // Who asks, by a Unix socket, or by TCP or HTTP.
    Caller caller(bool is_unix) const { return {!is_unix && !door->asks_password(), granted}; }
};

}  // namespace jobq
