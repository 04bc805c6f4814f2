#include "core/store/redis/cause_args.h"

#include "core/job/cause.h"

namespace jobq {

void add_cause(Command& args, const std::string& type, const JobRecord& record) {
    const Cause cause = cause_of(type, record);
    args.add(cause.fingerprint()).add(cause.to_json());
}

}  // namespace jobq
