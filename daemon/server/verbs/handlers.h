// The handlers of verbs that need their session, by file: work.cpp, faktory_admin.cpp,
// enterprise.cpp, profile.cpp, runner.cpp, doctor.cpp, import.cpp. The others are actions
// (actions.h). handlers.cpp maps names to both.
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
task<void> profile(Session& session, std::string argument);
task<void> pools(Session& session, std::string argument);
task<void> take(Session& session, std::string argument);
task<void> done(Session& session, std::string argument);
task<void> heartbeat(Session& session, std::string argument);
task<void> output(Session& session, std::string argument);
task<void> doctor(Session& session, std::string argument);
task<void> import_jobs(Session& session, std::string argument);

}  // namespace jobq::verbs
