#include "daemon/chores/output_keeper.h"

#include <algorithm>

namespace jobq {
namespace {

constexpr int64_t kLookMs = 60'000;
constexpr size_t kAtOnce = 200;

}  // namespace

// A job that is there keeps its files, whatever state it is in.
task<void> OutputKeeper::look_at(std::vector<OutputFiles::Key> some) {
    std::vector<std::string> jids;
    for (const auto& key : some)
        jids.push_back(key.jid);
    auto views = co_await broker_.store().get(std::move(jids));
    for (size_t i = 0; views && i < some.size(); ++i) {
        const auto& view = (*views)[i];
        const bool gone = !view && view.error().code == ErrorCode::not_found;
        if (broker_.running().contains(some[i].jid)) continue;
        broker_.output_files().close(some[i]);
        if (gone) broker_.output_files().remove(some[i]);
    }
}

task<void> OutputKeeper::run() {
    while (!stopping()) {
        const auto keys = broker_.output_files().keys();
        for (size_t from = 0; from < keys.size() && !stopping(); from += kAtOnce) {
            const size_t to = std::min(keys.size(), from + kAtOnce);
            std::vector<OutputFiles::Key> some(keys.begin() + std::ptrdiff_t(from),
                                               keys.begin() + std::ptrdiff_t(to));
            co_await look_at(std::move(some));
        }
        if (stopping()) break;
        auto wait = wake_.wait(kLookMs);
        co_await wait;
    }
}

}  // namespace jobq
