// AroundStore: a Store each of whose calls goes through one function of its subclass, which says
// how it reaches a store. So what stands before a store names its functions once, here.
//
// The subclass has around(name, whom, call): `call` makes the call on a store, any number of times
// and whenever; `name` and `whom` (jids, owners, queues) are for people.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/store/store.h"

namespace jobq {

using Whom = std::vector<std::string>;

template <class Self>
class AroundStore : public Store {
  public:
    task<Result<std::vector<Result<Enqueued>>>> enqueue(std::vector<Job> jobs) override {
        return self().around("enqueue", {}, [jobs](Store& store) { return store.enqueue(jobs); });
    }

    task<Result<std::vector<Leased>>> fetch(FetchRequest request) override {
        return self().around("fetch", {}, [request](Store& store) { return store.fetch(request); });
    }

    task<Result<std::vector<Result<>>>> finish(std::vector<Finish> batch) override {
        return self().around("finish", {}, [batch](Store& store) { return store.finish(batch); });
    }

    task<Result<>> beat(std::vector<std::string> owners) override {
        return self().around("beat", owners, [owners](Store& store) { return store.beat(owners); });
    }

    task<Result<std::vector<OwnerInfo>>> owners() override {
        return self().around("owners", {}, [](Store& store) { return store.owners(); });
    }

    task<Result<std::vector<Leased>>> take_over(std::string from, std::string to,
                                                std::vector<LeaseName> some, int limit) override {
        return self().around("take over", {}, [from, to, some, limit](Store& store) {
            return store.take_over(from, to, some, limit);
        });
    }

    task<Result<Promoted>> promote(int64_t now_ms, int limit) override {
        return self().around(
            "promote", {}, [now_ms, limit](Store& store) { return store.promote(now_ms, limit); });
    }

    task<Result<>> purge(int64_t now_ms) override {
        return self().around("purge", {}, [now_ms](Store& store) { return store.purge(now_ms); });
    }

    task<Result<std::vector<Result<Cancelled>>>> cancel(std::vector<std::string> jids) override {
        return self().around("cancel", jids, [jids](Store& store) { return store.cancel(jids); });
    }

    task<Result<std::vector<std::string>>> cancels() override {
        return self().around("cancels", {}, [](Store& store) { return store.cancels(); });
    }

    task<Result<std::vector<Result<>>>> requeue(std::vector<std::string> jids,
                                                bool revive) override {
        return self().around("requeue", jids,
                             [jids, revive](Store& store) { return store.requeue(jids, revive); });
    }

    task<Result<std::vector<Result<>>>> remove(std::vector<std::string> jids) override {
        return self().around("remove", jids, [jids](Store& store) { return store.remove(jids); });
    }

    task<Result<std::vector<Result<>>>> kill(std::vector<std::string> jids) override {
        return self().around("kill", jids, [jids](Store& store) { return store.kill(jids); });
    }

    task<Result<std::vector<Result<JobView>>>> get(std::vector<std::string> jids) override {
        return self().around("get", jids, [jids](Store& store) { return store.get(jids); });
    }

    task<Result<ListPage>> list(ListRequest request) override {
        return self().around("list", {}, [request](Store& store) { return store.list(request); });
    }

    task<Result<std::vector<AttemptLog>>> logs(std::string jid) override {
        return self().around("logs", {jid}, [jid](Store& store) { return store.logs(jid); });
    }

    task<Result<PlaceInLine>> place_in_line(std::string jid, std::string queue,
                                            int priority) override {
        return self().around("place in line", {jid}, [jid, queue, priority](Store& store) {
            return store.place_in_line(jid, queue, priority);
        });
    }

    task<Result<StoreStats>> stats() override {
        return self().around("stats", {}, [](Store& store) { return store.stats(); });
    }

    task<Result<QueuePage>> queue_page(QueueRequest request) override {
        return self().around("queue page", {},
                             [request](Store& store) { return store.queue_page(request); });
    }

    task<Result<FailedGroups>> failed_groups() override {
        return self().around("failed groups", {},
                             [](Store& store) { return store.failed_groups(); });
    }

    task<Result<bool>> count_failed() override {
        return self().around("count failed", {}, [](Store& store) { return store.count_failed(); });
    }

    task<Result<>> pause(std::vector<std::string> queues, bool paused) override {
        return self().around("pause", queues, [queues, paused](Store& store) {
            return store.pause(queues, paused);
        });
    }

    task<Result<int64_t>> clear(std::string queue, bool forget) override {
        return self().around("clear", {queue},
                             [queue, forget](Store& store) { return store.clear(queue, forget); });
    }

    task<Result<>> make_batch(BatchSpec spec) override {
        return self().around("make batch", {},
                             [spec](Store& store) { return store.make_batch(spec); });
    }

    task<Result<>> open_batch(std::string bid, bool open) override {
        return self().around("open batch", {bid},
                             [bid, open](Store& store) { return store.open_batch(bid, open); });
    }

    task<Result<BatchView>> batch(std::string bid) override {
        return self().around("batch", {bid}, [bid](Store& store) { return store.batch(bid); });
    }

    task<Result<bool>> track(ProgressUpdate update) override {
        return self().around("track", {}, [update](Store& store) { return store.track(update); });
    }

    task<Result<std::vector<Progress>>> progress(std::vector<std::string> jids) override {
        return self().around("progress", jids,
                             [jids](Store& store) { return store.progress(jids); });
    }

    task<Result<>> flush() override {
        return self().around("flush", {}, [](Store& store) { return store.flush(); });
    }

    task<Result<std::vector<Result<Enqueued>>>> bring_in(std::vector<Imported> jobs) override {
        return self().around("import", {}, [jobs](Store& store) { return store.bring_in(jobs); });
    }

  private:
    Self& self() { return static_cast<Self&>(*this); }
};

}  // namespace jobq
