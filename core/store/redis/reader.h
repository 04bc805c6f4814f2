// RedisReader: the JobReader of RedisStore. Reads only; pages are bounded, nothing scans a queue.
#pragma once

#include <string>
#include <vector>

#include "core/store/job_reader.h"
#include "core/store/link/script_caller.h"

namespace jobq {

class RedisReader : public virtual JobReader {
  public:
    explicit RedisReader(ScriptCaller& caller) : caller_(caller) {}

    task<Result<std::vector<Result<JobView>>>> get(std::vector<std::string> jids) override;
    task<Result<ListPage>> list(ListRequest request) override;
    task<Result<std::vector<AttemptLog>>> logs(std::string jid) override;
    task<Result<PlaceInLine>> place_in_line(std::string jid, std::string queue,
                                            int priority) override;

  private:
    // The jobs, in order. `head_bytes` 0: whole.
    task<Result<std::vector<Result<JobView>>>> look_at(std::vector<std::string> jids,
                                                       size_t head_bytes, std::string text);
    task<Result<ListPage>> list_page(Reply ids, ListRequest request);
    task<Result<ListPage>> list_done(ListRequest request);

    ScriptCaller& caller_;
};

}  // namespace jobq
