#include "cli/input/input.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include "cli/base/payload_check.h"
#include "cli/input/line_reader.h"
#include "core/base/file.h"
#include "core/base/limits.h"
#include "core/base/text.h"

namespace jobq::cli {
namespace {

constexpr size_t kIdsAtOnce = 500;
constexpr size_t kIdLineBytes = 64 << 10;
constexpr int kSilentMs = 1'000;  // a person should know what is waited for

// At most one byte more than `most`, so that the caller can see that it is too much.
Answer<std::string> read_all(int fd, const std::string& name, size_t most) {
    std::string text;
    std::string part(64 << 10, '\0');
    while (text.size() <= most) {
        const ssize_t got =
            read_some(fd, part.data(), std::min(part.size(), most + 1 - text.size()));
        if (got == 0) break;
        if (got < 0)
            return give_up(kNoInput, "can't read " + name + ": " + std::strerror(int(-got)));
        text.append(part, 0, size_t(got));
    }
    return text;
}

// Without a byte order mark.
Answer<std::string> read_text(int fd, const std::string& name) {
    auto text = read_all(fd, name, limits::kPayloadBytes + 3);
    if (text && text->starts_with("\xEF\xBB\xBF")) text->erase(0, 3);
    return text;
}

Answer<std::string> checked(std::string text, const std::string& name) {
    const auto good = check_payload(text);
    if (good) return text;
    return give_up(info(good.error().code).exit_status, name + ": " + good.error().text);
}

Answer<std::string> read_file(const std::string& path) {
    const int fd = open_to_read(path);
    if (fd < 0) return give_up(kNoInput, "can't open '" + path + "': " + std::strerror(errno));
    auto text = read_text(fd, "'" + path + "'");
    ::close(fd);
    if (!text) return text;
    return checked(std::move(*text), path);
}

bool may_be_json(const std::string& word) {
    constexpr std::string_view kStarts = "{[\"-0123456789tfn \t\n\r";
    return !word.empty() && kStarts.find(word.front()) != std::string_view::npos;
}

// A text that surely is meant as JSON, and no name of a file.
bool is_meant_as_json(const std::string& word) {
    const std::string_view text = trim(word);
    return !text.empty() && (text[0] == '{' || text[0] == '[' || text[0] == '"');
}

// A read that fails is not the end: what is not whole is not taken.
Answer<> each_stdin_line(const std::function<Answer<>(std::string)>& take) {
    LineReader reader(STDIN_FILENO, kIdLineBytes);
    while (true) {
        while (const auto line = reader.next()) {
            if (line->too_long)
                return give_up(kBadData, "line " + std::to_string(line->number) +
                                             " of stdin is too long to be an id");
            const std::string_view word = trim(line->text);
            if (word.empty()) continue;
            if (auto done = take(std::string(word)); !done) return done;
        }
        if (reader.at_end()) return {};
        if (const int code = reader.wait_and_fill(); code != 0)
            return give_up(
                kNoInput,
                "can't read stdin: " + std::string(std::strerror(code)) + ", after " +
                    std::to_string(reader.lines()) + " lines",
                "the last ids may not have been processed: check them, then repeat the command");
    }
}

bool is_piped(const struct stat& found) {
    return S_ISFIFO(found.st_mode) || S_ISREG(found.st_mode) || S_ISSOCK(found.st_mode);
}

// Whether the process has read anything since it began. A subshell that only runs the last command
// of a pipeline has not; the body of `while read` has, and so has every program.
bool has_read(const std::string& process) {
    const auto io = read_whole_file(process + "io", 4096);
    return !io || !io->starts_with("rchar: 0\n");
}

// Of a descriptor, from its file in /proc; 0: not known.
int flags_of(const std::string& info) {
    const auto text = read_whole_file(info, 4096);
    const size_t at = text ? text->find("flags:\t") : std::string::npos;
    int flags = 0;
    if (at != std::string::npos)
        std::from_chars(text->data() + at + 7, text->data() + text->size(), flags, 8);
    return flags;
}

// dash and busybox redirect in the shell itself before they start a command, and keep what they had
// above 9: then the stdin we share is ours all the same. Only a text in the script (<<) has no
// writer; else it may be that of a loop.
bool is_redirected_for_us(const std::string& parent) {
    char exe[256];
    const ssize_t size = ::readlink((parent + "exe").c_str(), exe, sizeof exe);
    const std::string_view path(exe, size_t(std::max<ssize_t>(size, 0)));
    if (!path.ends_with("/dash") && !path.ends_with("/busybox")) return false;
    pollfd pipe{STDIN_FILENO, POLLIN, 0};
    if (::poll(&pipe, 1, 0) < 0 || (pipe.revents & POLLHUP) == 0) return false;

    struct stat kept {};

    for (int fd = 10; fd < 20; ++fd) {
        const std::string number = std::to_string(fd);
        // What a shell keeps is closed at exec; what it inherited is not.
        if ((flags_of(parent + "fdinfo/" + number) & O_CLOEXEC) == 0) continue;
        const bool known = ::stat((parent + "fd/" + number).c_str(), &kept) == 0;
        if (fd > 10 || (known && !S_ISREG(kept.st_mode))) return true;  // 10 may be the script
    }
    return false;
}

// Whether our stdin is our caller's: a file that somebody has read from, a pipe that our parent
// reads, or the payload of the job that we are.
bool is_inherited(const struct stat& ours) {
    if (S_ISREG(ours.st_mode)) return ::lseek(STDIN_FILENO, 0, SEEK_CUR) > 0;
    if (std::getenv("JOBQ_JID") != nullptr && ::getsid(0) == ::getpid()) return true;
    const std::string parent = "/proc/" + std::to_string(::getppid()) + "/";

    struct stat theirs {};

    if (S_ISDIR(ours.st_mode) || ::stat((parent + "fd/0").c_str(), &theirs) != 0 ||
        theirs.st_dev != ours.st_dev || theirs.st_ino != ours.st_ino)
        return false;
    return has_read(parent) && !is_redirected_for_us(parent);
}

// Bytes, or the end, are there or come within kSilentMs.
bool comes_soon(const struct stat& found) {
    if (S_ISREG(found.st_mode)) return true;
    pollfd waiting{STDIN_FILENO, POLLIN, 0};
    return ::poll(&waiting, 1, kSilentMs) > 0;
}

// Nothing more comes of it.
bool is_over(const struct stat& found) {
    if (S_ISREG(found.st_mode)) return ::lseek(STDIN_FILENO, 0, SEEK_CUR) >= found.st_size;
    pollfd end{STDIN_FILENO, POLLIN, 0};
    int held = 0;
    return ::poll(&end, 1, 0) > 0 && ::ioctl(STDIN_FILENO, FIONREAD, &held) == 0 && held == 0;
}

// Whether something is piped to us that is not our caller's. What is left alone, or waited for
// longer, is said, unless `quiet`: by `left` and by `reading`.
Answer<bool> is_ours(bool quiet, const char* left, const char* reading) {
    struct stat found {};

    if (::fstat(STDIN_FILENO, &found) != 0) return false;
    // An open directory is a mistake of who called, as for every program that reads.
    if (S_ISDIR(found.st_mode) && !is_inherited(found))
        return give_up(kNoInput, "can't read stdin: it is a directory");
    if (!is_piped(found)) return false;
    const bool inherited = is_inherited(found);
    // A writer may be slower than we are: only what is surely over was nothing.
    if (!quiet && inherited && !is_over(found)) std::cerr << "jobq: " << left << "\n";
    if (!quiet && !inherited && !comes_soon(found)) std::cerr << "jobq: " << reading << "\n";
    return !inherited;
}

// Of a terminal; "" at its end.
std::string stdin_line() {
    std::string line;
    char byte = 0;
    while (read_some(STDIN_FILENO, &byte, 1) == 1 && byte != '\n')
        line += byte;
    return line;
}

}  // namespace

Answer<std::string> read_payload(const std::string& word) {
    if (word == "-") {
        if (isatty(STDIN_FILENO) == 1)
            std::cerr << "jobq: reading the payload from the terminal; press ^D to end\n";
        auto text = read_text(STDIN_FILENO, "stdin");
        if (!text) return text;
        if (text->empty())
            return give_up(kBadData, "stdin is empty, so there is no payload",
                           "omit --payload to enqueue a job without a payload");
        return checked(std::move(*text), "stdin");
    }

    struct stat found {};

    if (word.find('\0') == std::string::npos && ::stat(word.c_str(), &found) == 0) {
        if (S_ISDIR(found.st_mode))
            return give_up(kNoInput, "'" + word + "' is a directory, not a file with a payload");
        return read_file(word);
    }
    const std::string shown = "'" + printable(utf8_prefix(word, 100)) + "'";
    if (is_meant_as_json(word)) return checked(word, "--payload");
    if (may_be_json(word) && check_payload(word)) return word;
    return give_up(kNoInput, "--payload " + shown + " is neither a file nor JSON text",
                   "the file must exist and be readable; a JSON string needs its own quotes: "
                   "--payload '\"text\"'");
}

Answer<std::string> read_piped_bytes(bool quiet) {
    const auto ours = is_ours(quiet,
                              "the command gets no input, because stdin belongs to the caller; use "
                              "`cat |` in front to pass it on, or < /dev/null",
                              "reading the input of the command from stdin");
    if (!ours) return tl::unexpected(ours.error());
    if (!*ours) return std::string();
    auto bytes = read_all(STDIN_FILENO, "stdin", kRunInputBytes);
    if (!bytes || bytes->size() <= kRunInputBytes) return bytes;
    return give_up(kBadData,
                   "stdin has more than " + std::to_string(kRunInputBytes >> 10) +
                       " KiB, which is the most that a job takes along as the stdin of its command",
                   "put it into a file and let the command read that; without input: </dev/null");
}

Answer<std::string> read_piped_payload(bool quiet) {
    const auto ours =
        is_ours(quiet,
                "the payload is not read from stdin, which belongs to the caller; use "
                "--payload - to read it, or < /dev/null",
                "reading the payload from stdin");
    if (!ours) return tl::unexpected(ours.error());
    if (!*ours) return std::string();
    auto text = read_text(STDIN_FILENO, "stdin");
    // cron gives every job an empty pipe: that is no payload, and no mistake.
    if (!text || text->empty()) return text;
    if (!quiet) std::cerr << "jobq: the payload is " << text->size() << " bytes from stdin\n";
    return checked(std::move(*text), "stdin");
}

std::string payload_member(const std::string& payload) {
    if (payload.find_first_of("\r\n") == std::string::npos) return "\"payload\":" + payload;
    std::string member = "\"payload_text\":" + json_quoted(payload);
    if (member.size() <= limits::kPayloadBytes + limits::kEnvelopeBytes / 2) return member;
    // Escaped it no longer fits in a line. A line break in JSON is white space outside of strings:
    // a blank in its place means the same.
    std::string flat = payload;
    std::replace_if(
        flat.begin(), flat.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
    return "\"payload\":" + flat;
}

Answer<> each_ids(const std::vector<std::string>& words,
                  const std::function<Answer<>(const std::vector<std::string>&)>& take) {
    std::vector<std::string> ids;
    bool any = false;
    const auto add = [&](std::string id) -> Answer<> {
        any = true;
        if (!is_utf8(id)) return give_up(kBadData, "an id on stdin is not valid UTF-8");
        ids.push_back(std::move(id));
        if (ids.size() < kIdsAtOnce) return {};
        auto done = take(ids);
        ids.clear();
        return done;
    };
    for (const auto& word : words) {
        if (word != "-") {
            if (auto done = add(word); !done) return done;
            continue;
        }
        if (isatty(STDIN_FILENO) == 1)
            std::cerr << "jobq: reading ids from the terminal, one per line; press ^D to end\n";
        if (auto done = each_stdin_line(add); !done) return done;
    }
    // Whatever should have written them may have failed.
    if (!any)
        return give_up(kNoInput, "there are no ids on stdin, so nothing was done",
                       "check the command that writes them");
    return ids.empty() ? Answer<>() : take(ids);
}

Answer<> confirm(bool yes, const std::string& question, const std::vector<std::string>& words) {
    if (yes) return {};
    const bool stdin_used = std::find(words.begin(), words.end(), "-") != words.end();
    if (stdin_used || isatty(STDIN_FILENO) != 1 || isatty(STDERR_FILENO) != 1)
        return give_up(kUsage,
                       "--yes is required to " + question + ": there is no terminal to ask on",
                       "--dry-run shows what would be done");
    std::cerr << "jobq: " << question << "? [y/N] " << std::flush;
    const std::string answer = stdin_line();
    const std::string_view said = trim(answer);
    if (said == "y" || said == "Y" || said == "yes") return {};
    return give_up(kJobFailed, "nothing was changed");
}

}  // namespace jobq::cli
