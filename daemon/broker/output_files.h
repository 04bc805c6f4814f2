// OutputFiles: output that is too long for the store, in files of the state directory: one file for
// an attempt, with the pieces of both streams in the order of time. Only of types whose `output`
// says so, within a quota for all of them.
//
// Must stay true: a file belongs to one lease and never mixes the output of two; it lacks only what
// could not be written or was over a limit; all files together stay within the quota.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "core/job/kept_output.h"

namespace jobq {

class OutputFiles {
  public:
    // `dir` is made when it is first needed; "": nothing is kept.
    explicit OutputFiles(std::string dir);

    struct Key {
        std::string jid;
        int attempt = 0;

        bool operator<(const Key& other) const {
            return std::tie(jid, attempt) < std::tie(other.jid, other.attempt);
        }
    };

    // Appends the part of the piece that the file lacks, up to offset `most` of its stream, and up
    // to `quota` bytes in all files.
    void add(const Key& key, const std::string& token, const OutputPiece& piece, int64_t most,
             int64_t quota);
    // Nothing more comes of it.
    void close(const Key& key);
    void remove(const Key& key);

    bool has(const Key& key) const { return files_.contains(key); }

    // The pieces of a file, one after the other; a part at its end that is not whole is none.
    class Reader {
      public:
        std::optional<OutputPiece> next();

      private:
        friend class OutputFiles;

        struct Close {
            void operator()(std::FILE* file) const { std::fclose(file); }
        };

        std::unique_ptr<std::FILE, Close> file_;
    };

    // Nothing: there is no file, or it can't be read.
    std::optional<Reader> read(const Key& key) const;
    // What begins stdout in the file, without a gap; `most` bytes, or little more.
    std::string stdout_of(const Key& key, int64_t most = INT64_MAX) const;

    std::vector<Key> keys() const;

    int64_t bytes() const { return bytes_; }

  private:
    struct File {
        int64_t bytes = 0;
        int fd = -1;          // while it is written
        std::string token{};  // of the lease that it is written for
        std::array<int64_t, 2> sizes{};
        bool full = false;  // an error or the quota: nothing more is written
    };

    std::string path_of(const Key& key) const;
    void find_files();
    bool open(const Key& key, const std::string& token, File& file);
    bool append(const Key& key, File& file, const OutputPiece& piece, int64_t from, int64_t to);
    void give_up(const Key& key, File& file, const std::string& why);

    std::string dir_;
    std::map<Key, File> files_;
    int64_t bytes_ = 0;
};

}  // namespace jobq
