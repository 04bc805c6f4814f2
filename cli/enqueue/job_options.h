// The options that enqueue and run share: what a job is besides its type and payload.
#pragma once

#include <span>
#include <string>

#include "cli/line/args.h"
#include "cli/line/verb.h"
#include "core/json/writer.h"

namespace jobq::cli {

std::span<const Option> job_options();
// Adds the members of an ENQUEUE request that the options name, times made absolute or relative as
// the wire wants them. A value that can't be meant is a usage failure that names its option.
Answer<> add_job_options(const Args& args, JsonWriter& request);

// A job's type may be a class name of any language; why it is none.
Answer<> check_type(const std::string& type);
// "email", or why it is no name; `what` says whose: "the type".
Answer<> check_name(const std::string& what, const std::string& name);

}  // namespace jobq::cli
