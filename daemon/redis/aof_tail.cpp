#include "daemon/redis/aof_tail.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

#include "core/base/text.h"
#include "daemon/redis/redis_log.h"

namespace jobq {
namespace {

constexpr size_t kBufferBytes = 1 << 20;
constexpr int64_t kTornBytes = 64 << 20;  // no record of ours is so long
constexpr size_t kCutsKept = 32;

// Bytes of a file by their offset, through one buffer.
class Bytes {
  public:
    Bytes(int fd, int64_t size) : fd_(fd), size_(size), buffer_(kBufferBytes) {}

    // From `at` on, as many as the buffer has; at least `least` unless the file ends.
    std::string_view look(int64_t at, size_t least) {
        if (at < start_ || at + int64_t(least) > start_ + int64_t(filled_)) fill(at);
        size_t skip = size_t(at - start_);
        return skip >= filled_ ? "" : std::string_view(buffer_.data() + skip, filled_ - skip);
    }

    int64_t size() const { return size_; }

  private:
    void fill(int64_t at) {
        start_ = at;
        filled_ = 0;
        while (filled_ < buffer_.size()) {
            ssize_t got = ::pread(fd_, buffer_.data() + filled_, buffer_.size() - filled_,
                                  off_t(at + int64_t(filled_)));
            if (got < 0 && errno == EINTR) continue;
            if (got <= 0) return;
            filled_ += size_t(got);
        }
    }

    int fd_;
    int64_t size_, start_ = 0;
    size_t filled_ = 0;
    std::vector<char> buffer_;
};

constexpr size_t kNumberLine = 24;  // a mark, a number and CR LF

// The number of a line "<mark><number>\r\n" at `at`, which is moved behind it; -1: there is none.
int64_t number_line(Bytes& bytes, int64_t& at, char mark) {
    std::string_view text = bytes.look(at, kNumberLine).substr(0, kNumberLine);
    size_t end = text.find("\r\n");
    if (text.empty() || text[0] != mark || end == text.npos || end == 1) return -1;
    auto number = parse_int(text.substr(1, end - 1));
    if (!number || *number < 0) return -1;
    at += int64_t(end) + 2;
    return *number;
}

enum class Transaction : uint8_t { no, begins, ends };
enum class Record : uint8_t { whole, broken, strange };

// What Redis writes for our scripts, each with a key first. Other names are not judged.
constexpr std::string_view kKeyed[] = {
    "HSET", "HSETNX", "HDEL", "HINCRBY", "LPUSH",  "RPUSH",  "LPOP",   "RPOP",    "LREM",
    "ZADD", "ZREM",   "SET",  "DEL",     "UNLINK", "RENAME", "EXPIRE", "PEXPIRE", "PEXPIREAT"};
constexpr std::string_view kOurs = "jobq:";
constexpr size_t kNameBytes = 16;

bool is_name(std::string_view word) {
    return std::all_of(word.begin(), word.end(), [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               c == '|' || c == '_' || c == '-' || c == '.';
    });
}

// Moves `at` behind the record there, when it is whole and may be jobq's.
Record skip_record(Bytes& bytes, int64_t& at, Transaction& kind) {
    int64_t next = at;
    int64_t args = number_line(bytes, next, '*');
    if (args < 1) return Record::broken;
    kind = Transaction::no;
    bool keyed = false, strange = false;
    for (int64_t n = 0; n < args; ++n) {
        int64_t length = number_line(bytes, next, '$');
        if (length < 0 || length > bytes.size() - next - 2) return Record::broken;
        if (n == 0) {
            std::string_view name = bytes.look(next, kNameBytes).substr(0, size_t(length));
            if (args == 1 && name == "MULTI") kind = Transaction::begins;
            if (args == 1 && name == "EXEC") kind = Transaction::ends;
            keyed = std::find(std::begin(kKeyed), std::end(kKeyed), name) != std::end(kKeyed);
            strange = !is_name(name.substr(0, kNameBytes));
        }
        if (n == 1 && keyed)
            strange = bytes.look(next, kOurs.size()).substr(0, kOurs.size()) != kOurs;
        next += length;
        if (bytes.look(next, 2).substr(0, 2) != "\r\n") return Record::broken;
        next += 2;
    }
    if (strange) return Record::strange;
    at = next;
    return Record::whole;
}

bool has_whole_record(Bytes& bytes, int64_t from) {
    for (int64_t at = from; at < bytes.size();) {
        std::string_view text = bytes.look(at, 1);
        size_t star = text.find('*');
        if (star == text.npos) {
            at += int64_t(text.size());
            continue;
        }
        at += int64_t(star);
        int64_t end = at;
        Transaction kind;
        if (skip_record(bytes, end, kind) == Record::whole) return true;
        ++at;
    }
    return false;
}

Result<> copy_end(const std::string& file, int64_t from, const std::string& to) {
    std::ifstream in(file, std::ios::binary);
    in.seekg(from);
    std::string fresh = to + ".new";
    int made = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (made >= 0) ::close(made);
    std::ofstream out(fresh, std::ios::binary);
    out << in.rdbuf();
    out.flush();
    if (!in || !out) {
        int error = errno;
        ::unlink(fresh.c_str());
        return fail(
            error == ENOSPC || error == EDQUOT ? ErrorCode::storage_full : ErrorCode::config,
            "can't save the damaged end of " + file + " in " + to + ": " + std::strerror(error) +
                "; free some space there, or make it writable");
    }
    out.close();
    int fd = ::open(fresh.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        ::fsync(fd);
        ::close(fd);
    }
    std::filesystem::rename(fresh, to);
    return {};
}

void drop_old_cuts(const std::string& redis_dir) {
    std::vector<std::string> cuts;
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator(redis_dir, failed))
        if (entry.path().filename().string().starts_with("cut-")) cuts.push_back(entry.path());
    std::sort(cuts.begin(), cuts.end());
    while (cuts.size() > kCutsKept) {
        ::unlink(cuts.front().c_str());
        cuts.erase(cuts.begin());
    }
}

// Of the manifest, the last file of commands: "file NAME seq 1 type i"; "" when there is no
// manifest. Redis deletes files of type h. One flipped bit makes an h of an i: it would start with
// nothing, and delete all there was. Files of commands get old only together with a base.
Result<std::string> last_file(const std::string& redis_dir) {
    const std::string path = redis_dir + "/appendonlydir/appendonly.aof.manifest";
    std::ifstream manifest(path);
    if (!manifest) return "";
    std::string line, name;
    bool old_base = false, old_commands = false;
    while (std::getline(manifest, line)) {
        auto words = split(line, ' ');
        if (words.size() < 6 || words[0] != "file") continue;
        const bool base = words[1].find(".base.") != words[1].npos;
        if (words[5] == "h") (base ? old_base : old_commands) = true;
        if (words[5] == "i" && words[1].find('/') == words[1].npos) name = words[1];
    }
    if (name.empty() || (old_commands && !old_base))
        return fail(ErrorCode::corrupt, damaged_manifest(redis_dir));
    return redis_dir + "/appendonlydir/" + name;
}

}  // namespace

Result<AofScan> scan_aof(const std::string& file, const std::atomic<bool>* stop) {
    int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);

    struct stat about {};

    if (fd < 0 || ::fstat(fd, &about) != 0) {
        int error = errno;
        if (fd >= 0) ::close(fd);
        return fail(ErrorCode::config, "can't read " + file + ": " + std::strerror(error));
    }
    AofScan scan;
    scan.size = int64_t(about.st_size);
    Bytes bytes(fd, scan.size);
    int64_t at = 0;
    bool inside = false;
    Transaction kind = Transaction::no;
    Record last = Record::whole;
    while (at < scan.size && (last = skip_record(bytes, at, kind)) == Record::whole) {
        if (stop && *stop) {
            ::close(fd);
            return fail(ErrorCode::cancelled, "jobqd is shutting down");
        }
        if (kind == Transaction::begins) inside = true;
        if (kind == Transaction::ends) inside = false;
        if (!inside) scan.good = at;
    }
    if (scan.good < scan.size) {
        // Behind what is not whole; an open transaction is not whole by itself.
        bool more =
            at < scan.size && (scan.size - at > kTornBytes || has_whole_record(bytes, at + 1));
        scan.end = more ? AofScan::End::damaged : AofScan::End::torn;
        if (last == Record::strange) scan.end = AofScan::End::strange;
    }
    ::close(fd);
    return scan;
}

Result<std::string> mend_aof_tail(const std::string& redis_dir, const std::string& time,
                                  const std::atomic<bool>* stop) {
    auto found = last_file(redis_dir);
    if (!found) return tl::unexpected<Error>(found.error());
    std::string file = *found, none;
    std::error_code failed;
    if (file.empty() || !std::filesystem::exists(file, failed)) return none;
    auto scan = scan_aof(file, stop);
    if (!scan) return tl::unexpected<Error>(scan.error());
    const int64_t rest = scan->size - scan->good;
    if (scan->end == AofScan::End::whole) return none;
    if (scan->end == AofScan::End::strange)
        return fail(
            ErrorCode::corrupt,
            "the data of the private Redis are damaged: at byte " + std::to_string(scan->good) +
                " of " + file +
                " is a record that jobq never wrote; restore the data from a backup, or copy " +
                redis_dir + " to a safe place and run this command, which discards the " +
                std::to_string(rest) + " bytes from there on: truncate -s " +
                std::to_string(scan->good) + " " + file);
    if (scan->end == AofScan::End::damaged)
        return fail(
            ErrorCode::corrupt,
            "the data of the private Redis are damaged: " + file + " can be read up to byte " +
                std::to_string(scan->good) + ", " + std::to_string(rest) +
                " bytes with records follow; restore the data from a backup, or copy " + redis_dir +
                " to a safe place and run this command, which discards those bytes: "
                "redis-check-aof --fix " +
                redis_dir + "/appendonlydir/appendonly.aof.manifest");
    std::string name = std::filesystem::path(file).filename();
    std::string kept = redis_dir + "/cut-" + time + "-" + name;
    auto copied = copy_end(file, scan->good, kept);
    if (!copied) return tl::unexpected<Error>(copied.error());
    if (::truncate(file.c_str(), scan->good) != 0)
        return fail(ErrorCode::config, "can't truncate " + file + ": " + std::strerror(errno));
    drop_old_cuts(redis_dir);
    return "the last " + std::to_string(rest) + " bytes of " + file +
           " were an incomplete record, as a crash leaves it, and were cut off; they are kept in " +
           kept;
}

}  // namespace jobq
