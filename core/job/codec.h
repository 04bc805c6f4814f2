// The stored forms of Job, JobRecord and FinalRecord. Version notes at the functions: a change that
// an older jobqd can't read raises the store's schema number (core/store/keys.h).
//
// Envelope (binary, compact: at a million waiting jobs each byte is a megabyte):
//   byte 0   kind    ':' plain, 'r' has a JobRecord, 'x' cancelled while in its queue (tombstone),
//                    '!' found damaged: behind the queue's name stand the damaged bytes, whole
//   byte 1   priority '1'..'9'
//   byte 2   length of the queue's name, then the name
//   4 bytes  CRC-32C, little-endian, of the jid and of all that is here but the kind and itself
//   then     fields: tag byte, varint length, bytes; absent when at their default; the type is the
//            first, args the last. Scripts read all up to the type, nothing more
// The kind is the one byte that changes in a job's life, so the checksum leaves it out; any two
// kinds differ in two bits or more, so a flipped one is no kind. Schema 1 knew '.' and 'm', plain
// and with a record, without a checksum: they are read still, and never written.
#pragma once

#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/job/job.h"
#include "core/job/kept_output.h"

namespace jobq {

inline constexpr char kKindPlain = ':', kKindRecord = 'r', kKindTombstone = 'x';
inline constexpr char kKindDamaged = '!', kKindPlain1 = '.', kKindRecord1 = 'm';
inline constexpr size_t kChecksumBytes = 4;

// `jid` is the key it is stored under and not part of the bytes.
std::string encode_job(const Job& job, bool has_record);
Result<Job> decode_job(std::string_view jid, std::string_view bytes);
// The same of the first bytes alone: fields that are cut off, args above all, are left empty.
Result<Job> decode_job_head(std::string_view jid, std::string_view bytes);

// The same, with what there is of the args, and how many bytes the whole ones have: 0 when another
// field was cut off.
struct JobHead {
    Job job;
    size_t args_bytes = 0;
};

Result<JobHead> decode_job_preview(std::string_view jid, std::string_view bytes);
// The checksum that the envelope would have under another jid, as it is stored. Requires: made by
// encode_job.
std::string checksum_for(std::string_view jid, std::string_view envelope);
// What is left of a job that was cancelled in its queue: no job any more.
bool is_tombstone(std::string_view bytes);
// Of damaged bytes what can be told and harms nobody: jid, and queue, priority and type if they may
// be right; a queue that can't be told is "".
Job salvage_job(std::string_view jid, std::string_view bytes);

// JSON text, small, read by people in a pinch.
std::string encode_record(const JobRecord& record);
Result<JobRecord> decode_record(std::string_view text);

// One line of JSON, LF, then the result's bytes.
std::string encode_final(const FinalRecord& record);
// The first bytes of each final record in this state, and of no other: scripts look for them.
std::string final_record_begin(State state);
Result<FinalRecord> decode_final(std::string_view bytes);

// What an attempt wrote, in one value: its log (stderr) and, when it did not succeed, its stdout,
// which is no result then. A line, the log, the stdout; "" for nothing at all. The line: the bytes
// of the log, then, where there is need, " cut=" and the LeftOut of both, " order=" and the order.
std::string encode_output(const Output& output);
Output decode_output(std::string_view bytes);

}  // namespace jobq
