// A file: a line with the lease's token, then for each piece its Head and its bytes.
#include "daemon/broker/output_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "core/base/limits.h"
#include "core/base/text.h"
#include "daemon/observe/log.h"

namespace jobq {
namespace {

struct Head {
    int64_t offset = 0, at_ms = 0;
    uint32_t size = 0, stream = 0;
};

constexpr size_t kTokenBytes = 256;
constexpr std::string_view kSafe =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// A jid as a part of a file's name, and back: as it is, or "=" and hexadecimal digits.
std::string name_of(const std::string& jid) {
    if (!jid.empty() && jid.find_first_not_of(kSafe) == std::string::npos) return jid;
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string name = "=";
    for (char c : jid) {
        const auto byte = static_cast<unsigned char>(c);
        name += kDigits[byte >> 4U];
        name += kDigits[byte & 15U];
    }
    // A name has at most 255 bytes; a jid 128.
    return name.size() < 240 ? name : "";
}

std::string jid_of(std::string_view name) {
    if (!name.starts_with('=')) return std::string(name);
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    std::string jid;
    for (size_t i = 1; i + 1 < name.size(); i += 2)
        jid += char(digit(name[i]) * 16 + digit(name[i + 1]));
    return jid;
}

bool write_all(int fd, const void* from, size_t bytes) {
    const auto* at = static_cast<const char*>(from);
    while (bytes > 0) {
        const ssize_t done = ::write(fd, at, bytes);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return false;
        at += done;
        bytes -= size_t(done);
    }
    return true;
}

// The next piece of a file that is read.
std::optional<OutputPiece> read_piece(std::FILE* file) {
    Head head;
    if (std::fread(&head, sizeof head, 1, file) != 1) return std::nullopt;
    if (head.size > limits::kOutputPieceBytes || head.stream > 1 || head.offset < 0)
        return std::nullopt;
    OutputPiece piece{OutputStream(head.stream), head.offset, head.at_ms,
                      std::string(head.size, '\0')};
    if (std::fread(piece.bytes.data(), 1, head.size, file) != head.size) return std::nullopt;
    return piece;
}

}  // namespace

OutputFiles::OutputFiles(std::string dir) : dir_(std::move(dir)) {
    if (!dir_.empty()) find_files();
}

void OutputFiles::find_files() {
    std::error_code error;
    for (std::filesystem::directory_iterator at(dir_, error), end; !error && at != end;
         at.increment(error)) {
        const std::string name = at->path().filename();
        const size_t dot = name.rfind('.');
        const auto attempt = dot == name.npos ? std::nullopt : parse_int(name.substr(dot + 1));
        if (!attempt || *attempt < 1 || *attempt > limits::kAttemptsMax) continue;
        std::error_code gone;
        const auto size = int64_t(at->file_size(gone));
        if (gone) continue;
        files_[{jid_of(name.substr(0, dot)), int(*attempt)}].bytes = size;
        bytes_ += size;
    }
    if (error && error != std::errc::no_such_file_or_directory)
        log(LogLevel::warn, "output.not_found",
            "the files with output of earlier jobs can't be listed: " + error.message(),
            {{"directory", dir_}});
}

std::string OutputFiles::path_of(const Key& key) const {
    const std::string name = name_of(key.jid);
    return name.empty() ? "" : dir_ + "/" + name + "." + std::to_string(key.attempt);
}

// What an earlier jobqd wrote of the same lease is gone on with.
bool OutputFiles::open(const Key& key, const std::string& token, File& file) {
    const std::string path = path_of(key);
    if (path.empty()) {
        errno = ENAMETOOLONG;
        return false;
    }
    ::mkdir(dir_.c_str(), 0700);
    file.token = token;
    file.sizes = {};
    if (auto old = read(key)) {
        char line[kTokenBytes + 2] = {};
        std::rewind(old->file_.get());
        const bool same =
            std::fgets(line, sizeof line, old->file_.get()) != nullptr && line == token + "\n";
        long end = std::ftell(old->file_.get());
        while (same) {
            auto piece = old->next();
            if (!piece) break;
            file.sizes[size_t(piece->stream)] = piece->end();
            end = std::ftell(old->file_.get());
        }
        file.fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
        const long keep = same ? end : 0;
        if (file.fd >= 0 && ::ftruncate(file.fd, keep) != 0) return false;
        bytes_ += keep - file.bytes;
        file.bytes = keep;
        if (same) return file.fd >= 0;
    } else {
        bytes_ -= std::exchange(file.bytes, 0);
        file.fd = ::open(path.c_str(),
                         O_WRONLY | O_APPEND | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    }
    if (file.fd < 0 || token.size() > kTokenBytes) return false;
    const std::string line = token + "\n";
    if (!write_all(file.fd, line.data(), line.size())) return false;
    file.bytes += int64_t(line.size());
    bytes_ += int64_t(line.size());
    return true;
}

void OutputFiles::give_up(const Key& key, File& file, const std::string& why) {
    file.full = true;
    log(LogLevel::warn, "output.not_kept",
        "the rest of what job " + printable(key.jid) +
            " writes is not kept in a file, only its end: " + why,
        {{"jid", key.jid}});
}

bool OutputFiles::append(const Key& key, File& file, const OutputPiece& piece, int64_t from,
                         int64_t to) {
    Head head{from, piece.at_ms, uint32_t(to - from), uint32_t(piece.stream)};
    std::string record(sizeof head, '\0');
    std::memcpy(record.data(), &head, sizeof head);
    record += std::string_view(piece.bytes).substr(size_t(from - piece.offset), head.size);
    if (!write_all(file.fd, record.data(), record.size())) {
        give_up(key, file, std::strerror(errno));
        return false;
    }
    file.sizes[size_t(piece.stream)] = to;
    file.bytes += int64_t(record.size());
    bytes_ += int64_t(record.size());
    return true;
}

void OutputFiles::add(const Key& key, const std::string& token, const OutputPiece& piece,
                      int64_t most, int64_t quota) {
    if (dir_.empty()) return;
    File& file = files_[key];
    if (file.token != token) close(key);
    if (file.full) return;
    const int64_t grows = int64_t(sizeof(Head) + kTokenBytes + piece.bytes.size());
    if (bytes_ + grows > quota && file.bytes == 0) {
        file.token = token;
        give_up(key, file, "server.output_quota is used up");
        return;
    }
    if (file.fd < 0 && !open(key, token, file)) {
        const std::string why = "can't write " + dir_ + ": " + std::strerror(errno);
        // What an earlier lease left is not taken for this one's.
        ::unlink(path_of(key).c_str());
        bytes_ -= std::exchange(file.bytes, 0);
        give_up(key, file, why);
        return;
    }
    const int64_t size = file.sizes[size_t(piece.stream)], to = std::min(piece.end(), most);
    constexpr auto kPart = int64_t(limits::kOutputPieceBytes);
    for (int64_t from = std::max(piece.offset, size); from < to; from += kPart) {
        const int64_t till = std::min(to, from + kPart);
        if (bytes_ + int64_t(sizeof(Head)) + till - from > quota) {
            give_up(key, file, "server.output_quota is used up");
            return;
        }
        if (!append(key, file, piece, from, till)) return;
    }
}

void OutputFiles::close(const Key& key) {
    const auto found = files_.find(key);
    if (found == files_.end()) return;
    if (found->second.fd >= 0) ::close(std::exchange(found->second.fd, -1));
    found->second.full = false;
}

void OutputFiles::remove(const Key& key) {
    const auto found = files_.find(key);
    if (found == files_.end()) return;
    close(key);
    ::unlink(path_of(key).c_str());
    bytes_ -= found->second.bytes;
    files_.erase(found);
}

std::optional<OutputPiece> OutputFiles::Reader::next() {
    return read_piece(file_.get());
}

std::optional<OutputFiles::Reader> OutputFiles::read(const Key& key) const {
    if (!has(key)) return std::nullopt;
    const int fd = ::open(path_of(key).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return std::nullopt;
    Reader reader;
    reader.file_.reset(::fdopen(fd, "r"));
    if (!reader.file_) {
        ::close(fd);
        return std::nullopt;
    }
    char line[kTokenBytes + 2] = {};
    if (std::fgets(line, sizeof line, reader.file_.get()) == nullptr) return std::nullopt;
    return reader;
}

std::string OutputFiles::stdout_of(const Key& key, int64_t most) const {
    std::string all;
    auto reader = read(key);
    while (reader && int64_t(all.size()) < most) {
        auto piece = reader->next();
        if (!piece) break;
        if (piece->stream != OutputStream::out) continue;
        if (piece->offset != int64_t(all.size())) break;
        all += piece->bytes;
    }
    return all;
}

std::vector<OutputFiles::Key> OutputFiles::keys() const {
    std::vector<Key> keys;
    for (const auto& [key, file] : files_)
        keys.push_back(key);
    return keys;
}

}  // namespace jobq
