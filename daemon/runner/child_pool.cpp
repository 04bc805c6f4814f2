// The children of a pool and who of them is idle; see child_pool.h and child_worker.h.
// Must stay true: a worker is destroyed from a timer, since most changes are told by a worker.
#include "daemon/runner/child_pool.h"

#include <algorithm>

namespace jobq {

ChildPool::ChildPool(Hub& hub, RunTable& runs, Reporter& reporter, JobRunEvents& events,
                     PoolSpec spec)
    : Pool(hub, runs, reporter, events, std::move(spec)) {
    fit();
}

ChildPool::~ChildPool() {
    hub_.reactor.cancel(tidy_timer_);
}

// As many as there are slots: adds, or retires the last ones.
void ChildPool::fit() {
    int wanted = retired_ ? 0 : spec_.slots;
    int have = 0;
    for (auto& worker : workers_) {
        if (worker->retiring() || worker->over()) continue;
        if (++have > wanted) worker->retire();
    }
    for (; have < wanted; ++have) {
        workers_.push_back(
            std::make_unique<ChildWorker>(hub_, events_, spec_, [this] { changed(); }));
    }
}

void ChildPool::update(PoolSpec spec) {
    bool same = spec.run == spec_.run && spec.env == spec_.env && spec.cwd == spec_.cwd;
    Pool::update(std::move(spec));
    if (!same) {
        for (auto& worker : workers_)
            worker->retire();
    }
    fit();
    changed();
}

void ChildPool::retire() {
    Pool::retire();
    fit();
    changed();
}

bool ChildPool::over() const {
    return Pool::over() && workers_.empty();
}

// Called by workers too, which must not be destroyed meanwhile.
void ChildPool::changed() {
    if (tidy_timer_ == 0) tidy_timer_ = hub_.reactor.after(0, [this] { tidy(); });
    hub_.changed.notify_all();
}

void ChildPool::tidy() {
    tidy_timer_ = 0;
    auto is_over = [](const auto& worker) { return worker->over(); };
    workers_.erase(std::remove_if(workers_.begin(), workers_.end(), is_over), workers_.end());
    hub_.changed.notify_all();
}

int ChildPool::free_slots() const {
    auto is_idle = [](const auto& worker) { return worker->idle(); };
    return int(std::count_if(workers_.begin(), workers_.end(), is_idle));
}

void ChildPool::start(TakenJob job) {
    auto is_idle = [](const auto& worker) { return worker->idle(); };
    auto idle = std::find_if(workers_.begin(), workers_.end(), is_idle);
    if (idle == workers_.end()) {
        // The child that was counted on has died meanwhile.
        RunReport report;
        report.outcome = Outcome::released;
        report.error_type = "released";
        report.message = "no child of pool " + spec_.name + " is available to run the job";
        reporter_.add(job, std::move(report));
        return;
    }
    const TypeSpec* type = hub_.type(job.type);
    TypeSpec own;
    if (type != nullptr) own = *type;
    auto run = std::make_unique<ChildJob>(hub_, events_, std::move(job), std::move(own));
    ChildJob& held = *run;
    runs_.add(std::move(run), spec_.name);
    (*idle)->assign(held);
}

}  // namespace jobq
