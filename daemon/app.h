// App: owns every part of the daemon, in the order they are built, starts them and stops them in
// the reverse order. Nobody below knows it.
//
//   config, places -> Redis (private or external) -> link -> store -> broker -> chores, pools
//   -> listeners -> ready -> runner          (stop: the other way round)
#pragma once

#include <array>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/store/redis/redis_store.h"
#include "daemon/chores/chores.h"
#include "daemon/chores/sampler.h"
#include "daemon/chores/watchdog.h"
#include "daemon/http/api.h"
#include "daemon/loop/fd_watch.h"
#include "daemon/loop/signals.h"
#include "daemon/observe/live_feed.h"
#include "daemon/options.h"
#include "daemon/redis/hints.h"
#include "daemon/redis/link.h"
#include "daemon/redis/private_redis.h"
#include "daemon/redis/storage.h"
#include "daemon/server/operations.h"
#include "daemon/server/server.h"
#include "daemon/traces.h"
#include "daemon/work/runner_keeper.h"
#include "daemon/work/thread_pool.h"
#include "daemon/work/webhook_pool.h"

namespace jobq {

class App {
  public:
    App(UvReactor& reactor, Options options, Loaded loaded, Places places);
    ~App();

    // From start to stop; the exit status is left in exit_status().
    task<void> run();

    int exit_status() const { return exit_status_; }

    // Stopped in order to run the program's file anew, in this process.
    bool restarts() const { return restarts_; }

  private:
    struct Process {
        std::unique_ptr<PidWatch> watch;
        std::set<std::string> wids;
    };

    // start.cpp and start_redis.cpp
    task<Result<>> start();
    task<Result<>> start_redis();
    Result<> prepare_private_redis();
    void tell_loading(const std::string& text);
    void make_storage();
    void storage_changed(bool full, const std::string& text);
    void writes_changed(bool refused, const std::string& text);
    Result<> listen();
    void make_pools();
    Result<> make_webhooks(const Config& config);
    void write_ready_file();
    task<void> set_traces();
    RunnerKeeper::Settings runner_settings() const;
    void find_left_runner();
    void start_runner();
    std::string node_id();
    ServerContext make_context();
    Result<> open_door();
    void watch_process(const std::shared_ptr<Worker>& worker, int64_t pid);
    void process_ended(int64_t pid);
    // scrape.cpp
    void make_metrics();
    task<Result<std::string>> render_metrics();
    // What /metrics answers.
    task<std::string> metrics_text();
    std::function<void(StoreBatch, size_t)> batch_sizes();
    void fill_metrics(Metrics::Sheet& sheet);
    // live.cpp
    void make_live();
    void measure_rates(const StoreSample& sample);
    LiveSample take_live();
    // app.cpp
    void watch_signals();
    void on_stop_signal();
    task<void> start_up();
    void on_link_state(LinkState state);
    task<void> reopen();
    void restart();
    void give_up_start();
    task<void> stop();
    task<void> stop_parts(int64_t until);
    void leave_files();
    // reload.cpp
    void ask_reload();
    task<void> reload_all();
    task<void> reload();
    Result<> take_outside(const Config& fresh);
    Result<std::shared_ptr<const Door>> new_door(const Config& fresh) const;
    task<void> change_pools();
    static task<void> end_pool(std::shared_ptr<ThreadPool> pool, int64_t limit_ms);
    // What a pool of the runner runs by the present configuration.
    Types types_of_pool(const std::string& name);
    bool runs(const std::string& type, const std::string& queue) const;
    std::vector<PoolStatus> pool_statuses() const;

    UvReactor& reactor_;
    Options options_;
    std::shared_ptr<const Config> config_;
    Places places_;
    int exit_status_ = 0;
    bool stopping_ = false, serving_ = false, restarts_ = false;
    bool link_started_ = false;
    int64_t loading_told_ms_ = 0;  // 0: it does not load
    bool starting_ = true;         // until start() has returned
    bool reload_asked_ = false, reloading_ = false, reopening_ = false;
    Signal stop_asked_;
    Gate gate_;
    Metrics metrics_;
    JobMetrics job_metrics_{metrics_};
    OneAnswer<std::string> scrape_{reactor_};
    std::unique_ptr<Traces> traces_;
    std::unique_ptr<PrivateRedis> private_redis_;
    std::unique_ptr<Storage> storage_;
    std::unique_ptr<UvRedisLink> link_;
    std::unique_ptr<HintListener> hints_;
    std::unique_ptr<RedisStore> store_;
    Events events_;
    Workers workers_;
    std::unique_ptr<Broker> broker_;
    std::unique_ptr<Chores> chores_;
    std::unique_ptr<Watchdog> watchdog_;
    std::unique_ptr<Sampler> sampler_;
    std::unique_ptr<LiveFeed> live_;
    int64_t rated_ms_ = 0;  // monotonic: when the totals were sampled that rates_ go up to
    StoreStats rated_;
    std::array<std::optional<double>, 3> rates_{};  // enqueued, succeeded, failed a second
    std::unique_ptr<Operations> operations_;
    std::map<std::string, std::shared_ptr<ThreadPool>> pools_;
    std::vector<std::shared_ptr<ThreadPool>> leaving_;  // a reload waits for their end
    std::map<std::string, Types> types_of_pools_;       // of that version of the configuration
    uint64_t types_version_ = 0;
    std::unique_ptr<WebhookPool> webhooks_;
    std::shared_ptr<const Door> door_;  // of the start; context_ has the present one
    std::unique_ptr<ServerContext> context_;
    std::unique_ptr<Server> server_;
    std::unique_ptr<Api> api_;
    std::unique_ptr<HttpServer> http_;
    std::unique_ptr<RunnerKeeper> runner_;
    std::map<int64_t, Process> processes_;  // of local workers, by pid
    std::string node_id_;
    std::vector<std::unique_ptr<SignalWatch>> signals_;
};

// "{state_dir}" in the environment and working directory of types becomes the daemon's own.
void expand_places(Config& config, const Places& places);

// The secrets of [webhook]; nothing while it is off. config: the file can't be used.
Result<std::optional<WebhookKeys>> read_webhook_keys(const WebhookConfig& config);

// The file this process runs, also when a newer one has taken its place.
std::string own_program();

// What main() calls: any mode of the options. Returns the exit status.
int run_daemon(const Options& options);

}  // namespace jobq
