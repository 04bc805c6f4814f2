// The handlers of the HTTP API's routes: jobs.cpp, bulk.cpp, log.cpp, events.cpp,
// dead.cpp, operations.cpp, queues.cpp, about.cpp, page.cpp,
// profiles.cpp, live.cpp. Each
// turns a request into the argument of an action (daemon/server/verbs/actions.h) and its answer
// into a response; what is done is the action's alone.
#pragma once

#include "daemon/http/routes.h"
#include "daemon/server/verbs/actions.h"

namespace jobq::api {

// jobs.cpp
task<HttpResponse> enqueue(ApiCall call);
task<HttpResponse> list_jobs(ApiCall call);
task<HttpResponse> get_job(ApiCall call);
task<HttpResponse> cancel_job(ApiCall call);
task<HttpResponse> retry_job(ApiCall call);
task<HttpResponse> release_job(ApiCall call);
task<HttpResponse> remove_job(ApiCall call);
task<HttpResponse> get_payload(ApiCall call);
task<HttpResponse> get_result(ApiCall call);
// log.cpp, events.cpp and bulk.cpp
task<void> get_log(ApiCall call);
task<void> stream_events(ApiCall call);
task<void> enqueue_bulk(ApiCall call);
// dead.cpp
task<HttpResponse> list_dead(ApiCall call);
task<HttpResponse> retry_dead(ApiCall call);
task<HttpResponse> get_dead_groups(ApiCall call);
// operations.cpp
task<HttpResponse> start_operation(ApiCall call);
task<HttpResponse> list_operations(ApiCall call);
task<HttpResponse> get_operation(ApiCall call);
task<HttpResponse> stop_operation(ApiCall call);
// queues.cpp
task<HttpResponse> get_queues(ApiCall call);
task<HttpResponse> pause_queue(ApiCall call);
task<HttpResponse> resume_queue(ApiCall call);
task<HttpResponse> clear_queue(ApiCall call);
task<HttpResponse> get_workers(ApiCall call);
task<HttpResponse> quiet_worker(ApiCall call);
task<HttpResponse> stop_worker(ApiCall call);
// about.cpp
task<HttpResponse> get_stats(ApiCall call);
task<HttpResponse> no_cron(ApiCall call);
task<HttpResponse> ping(ApiCall call);
task<HttpResponse> openapi(ApiCall call);
task<HttpResponse> metrics(ApiCall call);
task<HttpResponse> healthz(ApiCall call);
task<HttpResponse> readyz(ApiCall call);
// live.cpp
task<void> stream_live(ApiCall call);
// page.cpp
task<HttpResponse> page(ApiCall call);
task<HttpResponse> asset(ApiCall call);
// profiles.cpp
task<HttpResponse> list_profiles(ApiCall call);
task<HttpResponse> profile_cpu(ApiCall call);
task<HttpResponse> profile_heap(ApiCall call);

// What they share: answers.cpp.

HttpResponse respond(const verbs::Answer& answer, int status = 200);
// Of an answer {"jobs":[{...}]} about one job: its object, or the error in it.
verbs::Answer the_only(verbs::Answer answer);
// The context of the request's header traceparent, as a job keeps it; "" when there is none, or
// none that can be read: it is the client's library that sends it, not who wrote the request.
std::string trace_of(const HttpRequest& request);
// What ENQUEUE answers, with the name that HTTP has for the jid before it.
std::string with_job_id(const std::string& jid, const std::string& answer);
// An error about JSON text with the place in it.
Error with_place(Error error, std::string_view text);
// Of a body: 400 with the place when it is not JSON, 422 when it can't be what is asked for.
HttpResponse refused_body(const Error& error, std::string_view body);

// A page's `next` as a client sees it: opaque, and good for the same list alone.
std::string seal_cursor(std::string_view list, std::string_view cursor);
Result<std::string> open_cursor(std::string_view list, std::string_view sealed);
// What an answer has as its "next", and the same with another.
std::string next_of(const std::string& answer);
std::string with_next(const std::string& answer, std::string_view next);
// An answer with "next" sealed.
verbs::Answer with_sealed_next(verbs::Answer answer, std::string_view list);

}  // namespace jobq::api
