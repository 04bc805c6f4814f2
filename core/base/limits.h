// Every bound and default of jobq, with its unit in the name. Nothing else in the code may hold a
// number of this kind. product.md calls them "Limits"; jobq-protocol(7) prints them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace jobq::limits {

// Jobs
inline constexpr size_t kPayloadBytes = 1 << 20;                      // args of one job
inline constexpr size_t kEnvelopeBytes = 64 << 10;                    // all other fields of one job
inline constexpr size_t kLineBytes = kPayloadBytes + kEnvelopeBytes;  // a PUSH or JOBQ line
inline constexpr size_t kBulkLineBytes = 16 << 20;                    // a PUSHB line
inline constexpr int kJsonDepth = 64;
inline constexpr size_t kNameBytes = 255;  // queue and pool names, configured types
inline constexpr size_t kTypeBytes = 255;  // a job's type: clients use class names
inline constexpr size_t kTraceparentBytes = 512;
inline constexpr size_t kJidBytes = 128;   // a client's own jid, upper bound
inline constexpr size_t kJidMinBytes = 8;  // Faktory's lower bound
inline constexpr size_t kIdempotencyKeyBytes = 256;
inline constexpr int kPriorityMin = 1, kPriorityMax = 9, kPriorityNormal = 5;
inline constexpr int kAttemptsMax = 1000;
inline constexpr int kDefaultRetries = 25;  // Faktory's
inline constexpr int kCrashBudget = 3;      // crashes of one job before it is poison
// Jobs that lost their worker together, and not for the first time, run again so far apart,
inline constexpr int64_t kSuspectsApartMs = 2'000, kSuspectsSpreadMs = 30'000;  // all within this

// Times
inline constexpr int64_t kTimeMaxMs = 253'402'300'799'999;  // the end of the year 9999
inline constexpr int64_t kDefaultTimeoutMs = 5 * 60'000;
inline constexpr int64_t kKillGraceMs = 10'000;     // TERM, then this, then KILL
inline constexpr int64_t kStopTimeoutMs = 30'000;   // jobqd's own stop
inline constexpr int64_t kProcessLeaseMs = 15'000;  // an opted-in worker process
inline constexpr int64_t kBeatEveryMs = 5'000;
inline constexpr int64_t kRunnerReturnMs = 5'000;  // after a start: wait so long for known runners
inline constexpr int64_t kReserveDefaultS = 1800, kReserveMinS = 60, kReserveMaxS = 86'400;
inline constexpr int64_t kFaktoryBeatDeadMs = 60'000;
inline constexpr int64_t kHandshakeMs = 2'000;
inline constexpr int64_t kFetchWaitMs = 1'900;      // one client's read limit is 2 s
inline constexpr int64_t kFetchWaitMaxMs = 60'000;  // opted-in clients may ask for more
inline constexpr int64_t kRedisDeadlineMs = 5'000;  // one command
inline constexpr int64_t kRetentionMs = 24 * 3'600'000;
inline constexpr int64_t kIdempotencyWindowMs = 24 * 3'600'000;
// A call whose answer was lost is repeated within this, also when its job is over by then;
inline constexpr int64_t kRepeatMs = 10'000;
// by a client that says no more than the jid also within this, when the job has begun.
inline constexpr int64_t kRepeatBegunMs = 60'000;
inline constexpr int64_t kRecordLeastMs =
    60'000;                                   // a record is kept, whatever its type's retention
inline constexpr int64_t kFreshIdMs = 5'000;  // an id of jobq's own that is younger is new
inline constexpr int64_t kDeadKeepMs = 180LL * 24 * 3'600'000;
inline constexpr int64_t kTrackKeepMs = 30 * 60'000;      // progress, after the job's end
inline constexpr int64_t kBatchPatienceMs = 30 * 60'000;  // a batch that nobody commits
inline constexpr int64_t kBatchKeepMs = 24 * 3'600'000;   // one of which no job lives any more
inline constexpr size_t kBatchDescriptionBytes = 16 << 10;
inline constexpr int64_t kImportMarkMs = 30LL * 24 * 3'600'000;  // an import is not repeated

// Output of a job
inline constexpr size_t kOutputHeadBytes = 32 << 10, kOutputTailBytes = 32 << 10;
inline constexpr size_t kOutputKeptBytes = kOutputHeadBytes + kOutputTailBytes;  // in the store;
inline constexpr size_t kOutputKeptMaxBytes = 64 << 20;                          // in a file
inline constexpr int64_t kOutputQuotaBytes = 1LL << 30;  // of all these files
inline constexpr size_t kOutputPieceBytes = 64 << 10;    // of one stream, read at once
inline constexpr size_t kOutputWindowBytes = 256 << 10;  // not yet taken by followers: then the
                                                         // job's pipes are not read
inline constexpr size_t kOutputFollowedBytes = 1 << 20;  // kept of a job that somebody follows
inline constexpr int64_t kOutputHoldMs = 10'000;         // the longest wait for a stuck follower
inline constexpr int64_t kOutputExpectMs = 10'000;       // for a client that said it will follow
inline constexpr size_t kOutputMarks = 1'000;            // of the order of both streams
inline constexpr size_t kErrorMessageBytes = 1000, kErrorTypeBytes = 100;
inline constexpr int kBacktraceLines = 50;
inline constexpr int kErrorsKept = 50;  // attempts whose error is kept in full

// Server
inline constexpr int kConnections = 2'000;
inline constexpr int64_t kInfoFreshQueues = 100;       // with more of them
inline constexpr int64_t kInfoAgeMs = 1'000;           // INFO's figures may be so old,
inline constexpr int64_t kInfoAgeQueueMs = 1;          // and for each queue so much older
inline constexpr size_t kScrapeFreshBytes = 64 << 10;  // a longer /metrics
inline constexpr int64_t kScrapeAgeMs = 1'000;         // may be so old
inline constexpr size_t kScrapePieceBytes = 16 << 10;  // of it, in one turn
inline constexpr int kListPage = 100, kListPageMax = 500;
inline constexpr size_t kPreviewBytes = 200;  // of a job's args, in a list
inline constexpr int64_t kScanJobs = 20'000;  // looked at for one page of a filtered list,
inline constexpr int64_t kScanMs = 200;       // or for so long
inline constexpr size_t kFilterTextBytes = 200;
inline constexpr size_t kFailedGroups = 1'000;  // told apart; also in lua/lib/failed.lua
inline constexpr int kOperationsAtOnce = 4;     // in the background, on jobs that match
inline constexpr size_t kOperationsKept = 100;  // with those that ended
inline constexpr int64_t kOperationRateMax = 100'000;
inline constexpr size_t kOperationFilterBytes = 4 << 10;
inline constexpr size_t kUnixPathBytes = 107;     // sun_path less its NUL
inline constexpr int64_t kRefusedLineMs = 1'000;  // the rest of a line that was too long is read on
inline constexpr int64_t kLastWordsMs = 250;      // at a stop, for Faktory's clients to hear of it
inline constexpr int kFetchQueues = 1'000;        // of one FETCH
inline constexpr size_t kGlobBytes = 1'000;       // of one MUTATE
inline constexpr size_t kReadChunkBytes = 64 << 10;
inline constexpr int64_t kWriteStallMs = 30'000;  // a peer that takes no byte for so long is gone
inline constexpr int64_t kAcceptPauseMs = 100;    // when accept fails and even refusing does
inline constexpr int kAcceptsPerTurn = 128;
inline constexpr int64_t kProfileMs = 10'000, kProfileMaxMs = 600'000;  // JOBQ PROFILE
inline constexpr int kListenBacklog = 4'096;  // the kernel caps it at somaxconn

// HTTP requests that jobqd sends
inline constexpr int64_t kHttpSendMs = 5'000, kHttpSendConnectMs = 3'000;
inline constexpr size_t kHttpSendReplyBytes = 64 << 10;
inline constexpr size_t kHttpSendUrlBytes = 2'048;
inline constexpr int kHttpSendAtOnce = 64;

// Webhooks
inline constexpr size_t kWebhookUrlBytes = kHttpSendUrlBytes;
inline constexpr size_t kWebhookResultBytes = 16 << 10;  // a longer result is left out
inline constexpr size_t kWebhookSecretsMax = 8, kWebhookSecretMin = 24, kWebhookSecretMax = 64;
inline constexpr int kWebhookAttempts = 12;
inline constexpr int kWebhooksAtOnce = 64, kWebhooksPerHost = 8;  // requests in flight
inline constexpr int kWebhooksHeldPerHost = 24;                   // and deliveries in memory
inline constexpr int64_t kWebhookRetryAfterMaxMs = 3'600'000;
inline constexpr int64_t kWebhookPutOffMaxMs = 600'000;  // for want of a turn

// Store
inline constexpr size_t kScriptJobs = 500;       // jobs in one script call
inline constexpr size_t kScriptBytes = 4 << 20;  // and their bytes
inline constexpr size_t kScriptQueues = 50;      // queues looked at in one
inline constexpr size_t kScriptActs = 150;       // jobs that people change in one
inline constexpr size_t kHeadBytes = 2 << 10;    // read of a job for a list
inline constexpr int kSmallCalls = 16;           // in flight, while they hold less than
inline constexpr size_t kSmallItems = 64;        // so many jobs in all

// The link to Redis
inline constexpr int64_t kRedisConnectMs = 2'000;
inline constexpr int64_t kRedisReadyWaitMs = 3'000;     // a call made while Redis is away
inline constexpr size_t kRedisWaitingCalls = 10'000;    // so many of them,
inline constexpr size_t kRedisWaitingBytes = 64 << 20;  // and their bytes
inline constexpr int64_t kRedisBackoffMinMs = 10, kRedisBackoffMaxMs = 500;
inline constexpr int64_t kRedisStableMs = 1'000;  // up for so long: the back-off starts anew
inline constexpr size_t kRedisReplyBytes = 256 << 20;
inline constexpr int64_t kHintPingMs = 10'000;  // on a quiet subscription

// The private Redis
inline constexpr int64_t kDiskReserveBytes = 16 << 20;
inline constexpr int kRedisClients = 64;
inline constexpr int64_t kRestartMinMs = 10, kRestartMaxMs = 1'000;
inline constexpr int64_t kRestartStableMs = 10'000;
inline constexpr int64_t kRestartFaultMs = 1'000;   // when it ends by itself again and again
inline constexpr int kRestartTriesAtStart = 4;      // ends before it was ever up
inline constexpr int64_t kRedisStopMs = 10'000;     // TERM, then this, then KILL
inline constexpr int64_t kRedisRestartMs = 1'500;   // likewise, for one that can't write any more
inline constexpr int64_t kRedisLeftoverMs = 5'000;  // for one of a killed jobqd to end
inline constexpr int64_t kRedisVersionMs = 2'000;   // for `redis-server --version`

}  // namespace jobq::limits
