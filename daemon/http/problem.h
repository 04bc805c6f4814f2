// Errors as HTTP says them: problem JSON (RFC 9457) with the code of the one table of errors
// (core/base/error.h), which also has the status.
#pragma once

#include "daemon/http/message.h"

namespace jobq {

// `status` 0: the table's. 405, 415 and their like are all `invalid` to a program.
HttpResponse problem(const Error& error, int status = 0);
HttpResponse too_large(size_t limit);
std::string problem_json(const Error& error, int status);

}  // namespace jobq
