// Doctor: failed jobs and the counts by cause. See doctor.h.
#include "core/store/doctor/doctor.h"
#include "core/store/link/scripts.h"

namespace jobq {
task<Result<>> Doctor::before_failed() {
    Command args;
    args.add(0).add("");
    auto reply = co_await caller_.run(scripts::check_groups, std::move(args));
    if (!reply) co_return tl::unexpected<Error>(reply.error());
    changes_before_ = reply->items[0].text;
    for (size_t i = 1; i + 1 < reply->items.size(); i += 2)
        groups_[reply->items[i].text] = 0;
    end_step();
    co_return Result<>{};
}

task<Result<>> Doctor::failed_page() {
    Command args;
    args.add(cursor_).add(kCheckedAtOnce).add(int64_t(fix_));
    auto reply = co_await ask(scripts::check_failed, std::move(args), 2);
    if (!reply) co_return tl::unexpected<Error>(reply.error());
    looked_at_ += integer_of(reply->items[1]);
    const auto& rows = reply->items[3].items;
    for (size_t i = 0; i + 1 < rows.size(); i += 2) {
        const uint64_t hash = std::hash<std::string>()(rows[i].text);
        // A scan may give a field twice.
        if (counted_.add(hash ? hash : 1)) ++groups_[rows[i + 1].text];
    }
    cursor_ = reply->items[0].text;
    if (cursor_ == "0") end_step();
    co_return Result<>{};
}

task<Result<>> Doctor::after_failed() {
    end_step();
    if (groups_.empty()) co_return Result<>{};
    Command args;
    args.add(int64_t(fix_)).add(changes_before_);
    for (const auto& [place, count] : groups_) {
        const size_t space = place.find(' ');
        args.add(place.substr(0, space)).add(place.substr(space + 1)).add(count);
    }
    auto reply = co_await ask(scripts::check_groups, std::move(args), size_t(-1));
    if (!reply) co_return tl::unexpected<Error>(reply.error());
    co_return Result<>{};
}

}  // namespace jobq
