// Reading the JSON argument of a JOBQ verb: all fields first, then one look at the first error.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/text.h"
#include "core/job/state.h"
#include "core/json/field_reader.h"

namespace jobq::verbs {

class Request : public FieldReader {
  public:
    using FieldReader::FieldReader;

    // A state by its name; without a fallback it must be there.
    State state(std::string_view key, const std::string& fallback = "") {
        const std::string name = fallback.empty() ? some_text(key) : text(key, fallback);
        const auto known = state_from_name(name);
        if (known) return *known;
        std::string all;
        for (std::string_view one : kStateNames)
            all.append(all.empty() ? "" : ", ").append(one);
        refuse("unknown state " + json_quoted(name) + "; the states are " + all);
        return State::ready;
    }
};

}  // namespace jobq::verbs
