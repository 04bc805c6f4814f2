// Caller: who asks for something, as the fronts know it: where from, and what it may do. Every door
// by which jobs come in or are run again takes one, so that what depends on who asks is decided
// once, behind the doors: see intake.h. A session has one for its whole life, HTTP one for each
// request.
#pragma once

#include <optional>
#include <string>

#include "core/base/error.h"
#include "core/protocol/scope.h"

namespace jobq {

struct Caller {
    // Anybody may have sent it: it came over TCP or HTTP, and no password was asked for.
    bool open = false;
    Scopes scopes{};

    // Nothing: it may. `what`: the verb or address, for people.
    std::optional<Error> refusal(Scope wanted, std::string_view what) const {
        if (scopes.has(wanted)) return std::nullopt;
        return Error{ErrorCode::forbidden, std::string(what) + " needs the scope " +
                                               std::string(name(wanted)) +
                                               ", which this client does not have"};
    }
};

}  // namespace jobq
