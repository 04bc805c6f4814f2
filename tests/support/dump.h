// dump(): the whole state of a Store as text for people, through its public operations alone, so it
// is the same for RedisStore and MemoryStore. Times count from the test reactor's start; tokens are
// left out, they differ.
//
//   queues: mail(2) other(0,paused)
//   ready/mail: a b
//   scheduled: c@+60000
//   running/pool1: d #1
//   succeeded: e #1 "ok"
//   logs/e: 1:"hello"
//   owners: pool1(beat 0, running 1)
//   stats: enqueued=5 succeeded=1 ready=2 scheduled=1 running=1 processed=1
#pragma once

#include <string>

#include "core/store/store.h"
#include "tests/support/test_reactor.h"

namespace jobq::test {

// `page` is the size of the pages it reads; without logs it takes half the calls.
std::string dump(Store& store, TestReactor& reactor, int page = 3, bool with_logs = true);

// Failed jobs by cause, a line each; not who failed last, as a batch has no order.
std::string failed_text(Store& store, TestReactor& reactor);

// Every page of a list; the pages have at most `limit` jobs. Throws when the cursor never ends.
std::vector<JobView> list_all(Store& store, TestReactor& reactor, State state,
                              const std::string& queue, int limit);

}  // namespace jobq::test
