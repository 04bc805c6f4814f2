#include "daemon/broker/journal.h"

#include <algorithm>

namespace jobq {

bool Journal::reads_enqueued() {
    return std::any_of(observers_.begin(), observers_.end(),
                       [](JobObserver* one) { return one->reads_enqueued(); });
}

void Journal::enqueued(const EnqueuedJob& what) {
    for (JobObserver* one : observers_)
        one->enqueued(what);
}

void Journal::refused(ErrorCode why) {
    for (JobObserver* one : observers_)
        one->refused(why);
}

void Journal::imported(int64_t jobs) {
    for (JobObserver* one : observers_)
        one->imported(jobs);
}

void Journal::started(const StartedJob& what) {
    for (JobObserver* one : observers_)
        one->started(what);
}

void Journal::ended(const EndedJob& what) {
    for (JobObserver* one : observers_)
        one->ended(what);
}

void Journal::buried(const BuriedJob& what) {
    for (JobObserver* one : observers_)
        one->buried(what);
}

void Journal::expired(const Job& job) {
    for (JobObserver* one : observers_)
        one->expired(job);
}

void Journal::cancelled(const CancelledJob& what) {
    for (JobObserver* one : observers_)
        one->cancelled(what);
}

void Journal::released(const std::string& jid) {
    for (JobObserver* one : observers_)
        one->released(jid);
}

void Journal::paused(const std::string& queue, bool paused) {
    for (JobObserver* one : observers_)
        one->paused(queue, paused);
}

void Journal::flushed() {
    for (JobObserver* one : observers_)
        one->flushed();
}

void Journal::leases_lost(size_t count) {
    for (JobObserver* one : observers_)
        one->leases_lost(count);
}

void Journal::leases_expired(size_t count) {
    for (JobObserver* one : observers_)
        one->leases_expired(count);
}

}  // namespace jobq
