// TypeSet: the types of jobs that somebody who fetches can run. Decided before a job is taken: a
// fetch takes none of another type, and a wake-up goes only to those who run the new job's.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace jobq {

class TypeSet {
  public:
    explicit TypeSet(std::vector<std::string> names) : names_(std::move(names)) {
        std::sort(names_.begin(), names_.end());
        names_.erase(std::unique(names_.begin(), names_.end()), names_.end());
        for (const auto& name : names_)
            marks_ |= mark_of(name);
    }

    bool has(std::string_view type) const {
        auto at = std::lower_bound(names_.begin(), names_.end(), type);
        return at != names_.end() && *at == type;
    }

    const std::vector<std::string>& names() const { return names_; }  // sorted, each once

    // One of kMarks bits for each type: two that share none have no type in common.
    static constexpr int kMarks = 32;

    uint32_t marks() const { return marks_; }

    static int place_of(std::string_view type) {
        return int(std::hash<std::string_view>()(type) % size_t(kMarks));
    }

    static uint32_t mark_of(std::string_view type) { return uint32_t(1) << place_of(type); }

  private:
    std::vector<std::string> names_;
    uint32_t marks_ = 0;
};

// Null: jobs of any type.
using Types = std::shared_ptr<const TypeSet>;

inline Types types_of(std::vector<std::string> names) {
    return std::make_shared<const TypeSet>(std::move(names));
}

inline bool runs(const Types& types, std::string_view type) {
    return !types || types->has(type);
}

}  // namespace jobq
