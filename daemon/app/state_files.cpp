#include "daemon/app/state_files.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <utility>

#include "core/base/file.h"
#include "core/base/id.h"
#include "core/base/text.h"
#include "core/base/version.h"
#include "core/job/job.h"
#include "core/json/writer.h"
#include "daemon/observe/log.h"

namespace jobq {
namespace {

constexpr size_t kNodeIdBytes = 16;

}  // namespace

task<Result<>> StateFiles::start() {
    for (const auto& remark : places_.remarks)
        log(LogLevel::warn, "config.remark", remark);
    co_return Result<>{};
}

std::string StateFiles::node_id() {
    if (!node_id_.empty()) return node_id_;
    const std::string path = places_.state_dir + "/node-id";
    if (auto file = read_small_file(path, kNodeIdBytes + 1))
        node_id_ = std::string(trim(file->text));
    if (node_id_.size() == kNodeIdBytes && is_name(node_id_)) return node_id_;
    uint64_t random = random_u64();
    node_id_ = hex({reinterpret_cast<const char*>(&random), sizeof random});
    if (auto kept = write_small_file(path, node_id_ + "\n"); !kept)
        log(LogLevel::error, "state.not_kept",
            kept.error().text + "; jobqd will not find its runner after a restart");
    return node_id_;
}

void StateFiles::say_ready(const DaemonStatus& status) {
    JsonWriter json;
    json.begin_object().field("pid", int64_t(getpid())).field("version", version());
    json.field("unix", status.unix_path).field("tcp", status.tcp);
    json.field("http", status.http).field("state_dir", places_.state_dir).end_object();
    const std::string text = json.take();
    ready_ = true;
    if (auto kept = write_small_file(places_.state_dir + "/jobqd.ready", text + "\n"); !kept)
        log(LogLevel::error, "state.not_kept", kept.error().text);
    if (!places_.dev_link.empty()) {
        std::string fresh = places_.dev_link + "." + std::to_string(getpid());
        unlink(fresh.c_str());
        if (symlink(places_.unix_path.c_str(), fresh.c_str()) == 0)
            std::rename(fresh.c_str(), places_.dev_link.c_str());
    }
    log_flush();
    std::fprintf(stderr, "jobqd: ready %s\n", text.c_str());
}

task<void> StateFiles::stop(Ending) {
    if (std::exchange(stopped_, true)) co_return;
    std::error_code ignored;
    if (ready_) std::filesystem::remove(places_.state_dir + "/jobqd.ready", ignored);
    if (ready_ && !places_.dev_link.empty()) std::filesystem::remove(places_.dev_link, ignored);
    if (places_.throw_away) std::filesystem::remove_all(places_.state_dir, ignored);
}

}  // namespace jobq
