// JobEvents: what happens to jobs as events, for those who subscribe. Nothing is made that nobody
// wants.
#pragma once

#include <string_view>

#include "daemon/observe/events.h"
#include "daemon/observe/job_observer.h"

namespace jobq {

class JsonWriter;

class JobEvents final : public JobObserver {
  public:
    JobEvents(Reactor& reactor, Events& events) : reactor_(reactor), events_(events) {}

    bool reads_enqueued() override { return events_.wanted("enqueued"); }

    void enqueued(const EnqueuedJob& what) override;
    void started(const StartedJob& what) override;
    void ended(const EndedJob& what) override;
    void buried(const BuriedJob& what) override;
    void expired(const Job& job) override;
    void cancelled(const CancelledJob& what) override;
    void paused(const std::string& queue, bool paused) override;

  private:
    // An open object, with what each event has.
    JsonWriter begin(std::string_view event, const Job& job) const;
    void publish(std::string_view event, const Job& job, JsonWriter json);

    Reactor& reactor_;
    Events& events_;
};

}  // namespace jobq
