#include "daemon/observe/live_feed.h"

#include <cmath>
#include <cstdio>

#include "core/base/text.h"

namespace jobq {
namespace {

std::string row_text(const LiveSample& sample) {
    std::string text = "[" + std::to_string(sample.taken_ms);
    for (const auto& value : sample.row) {
        char number[32] = "null";
        if (value && std::isfinite(*value)) std::snprintf(number, sizeof number, "%.6g", *value);
        text += ",";
        text += number;
    }
    return text + "]";
}

}  // namespace

LiveFeed::LiveFeed(Reactor& reactor, std::vector<std::string> names, std::string about,
                   std::function<void()> wake, std::function<LiveSample()> take)
    : reactor_(reactor),
      names_(std::move(names)),
      about_(std::move(about)),
      wake_(std::move(wake)),
      take_(std::move(take)),
      stopped_(reactor),
      gate_(reactor) {}

std::shared_ptr<LiveFeed::Viewer> LiveFeed::look() {
    auto viewer = std::make_shared<Viewer>(reactor_);
    viewer->newest = newest_;
    viewers_.push_back(viewer);
    until_ms_ = reactor_.now_ms() + kLingerMs;
    if (!running_ && !stopping_) {
        running_ = true;
        gate_.keep([this] { return run(); });
    }
    return viewer;
}

std::string LiveFeed::history() const {
    std::string text = "event: history\ndata: {" + about_ + ",\"names\":[";
    for (const auto& name : names_)
        text += (&name == &names_.front() ? "\"" : ",\"") + name + "\"";
    text += "],\"rows\":[";
    for (const auto& row : rows_)
        text += (&row == &rows_.front() ? "" : ",") + row;
    return text + "]}\n\n";
}

// Whether somebody looked.
bool LiveFeed::publish() {
    const LiveSample sample = take_();
    rows_.push_back(row_text(sample));
    if (rows_.size() > kRows) rows_.pop_front();
    newest_ = std::make_shared<const std::string>("event: sample\ndata: {\"row\":" + rows_.back() +
                                                  "," + sample.members + "}\n\n");
    viewers_.remove_if([](const auto& viewer) { return viewer.expired(); });
    for (const auto& weak : viewers_) {
        auto viewer = weak.lock();
        viewer->newest = newest_;
        viewer->changed.notify_all();
    }
    return !viewers_.empty();
}

task<void> LiveFeed::run() {
    wake_();
    auto moment = stopped_.wait(kFirstMs);
    co_await moment;
    while (!stopping_ && reactor_.now_ms() < until_ms_) {
        if (publish()) until_ms_ = reactor_.now_ms() + kLingerMs;
        auto wait = stopped_.wait(kEveryMs);
        co_await wait;
    }
    running_ = false;
    newest_ = nullptr;
}

task<void> LiveFeed::stop() {
    stopping_ = true;
    stopped_.notify_all();
    co_await gate_.close();
}

}  // namespace jobq
