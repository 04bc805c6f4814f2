// The handlers of all verbs, by file: work.cpp, faktory_admin.cpp, enterprise.cpp, inspect.cpp,
// change.cpp, admin.cpp, profile.cpp, runner.cpp, doctor.cpp, import.cpp. handlers.cpp maps names
// to them.
#pragma once

#include <string>

#include "daemon/server/session.h"

namespace jobq::verbs {

// Faktory's
task<void> push_bulk(Session& session, std::string argument);
task<void> fetch(Session& session, std::string argument);
task<void> ack(Session& session, std::string argument);
task<void> fail_job(Session& session, std::string argument);
task<void> beat(Session& session, std::string argument);
task<void> info_verb(Session& session, std::string argument);
task<void> flush(Session& session, std::string argument);
task<void> queue(Session& session, std::string argument);
task<void> mutate(Session& session, std::string argument);
task<void> track(Session& session, std::string argument);
task<void> batch(Session& session, std::string argument);
task<void> end(Session& session, std::string argument);

// jobq's
task<void> status(Session& session, std::string argument);
task<void> wait(Session& session, std::string argument);
task<void> result(Session& session, std::string argument);
task<void> logs(Session& session, std::string argument);
task<void> list(Session& session, std::string argument);
task<void> cancel(Session& session, std::string argument);
task<void> retry(Session& session, std::string argument);
task<void> remove(Session& session, std::string argument);
task<void> retry_dead(Session& session, std::string argument);
task<void> queues(Session& session, std::string argument);
task<void> pause(Session& session, std::string argument);
task<void> resume(Session& session, std::string argument);
task<void> clear(Session& session, std::string argument);
task<void> stats(Session& session, std::string argument);
task<void> workers(Session& session, std::string argument);
task<void> signal(Session& session, std::string argument);
task<void> events(Session& session, std::string argument);
task<void> ping(Session& session, std::string argument);
task<void> profile(Session& session, std::string argument);
task<void> pools(Session& session, std::string argument);
task<void> take(Session& session, std::string argument);
task<void> done(Session& session, std::string argument);
task<void> heartbeat(Session& session, std::string argument);
task<void> output(Session& session, std::string argument);
task<void> doctor(Session& session, std::string argument);
task<void> import_jobs(Session& session, std::string argument);

}  // namespace jobq::verbs
