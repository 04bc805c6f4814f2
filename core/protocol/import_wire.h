// JOBQ IMPORT on the wire: a job as Faktory stores it, with the state it was in. Read by jobqd
// alone; `jobq import` sends what it found and leaves the judgement to this.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/job/imported.h"

namespace jobq {

// {"state":"ready|scheduled|retrying|dead","at_ms":n,"job":{...}}. The job is Faktory's object, its
// `failure` becomes the record. `text` of the error is for the person who imports.
Result<Imported> parse_import(std::string_view json, int64_t now_ms);

}  // namespace jobq
