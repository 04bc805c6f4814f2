// OutputFiles: output that is too long for the store, in files of the state directory: one file for
// an attempt, with the pieces of both streams in the order of time. Only of types whose `output`
// says so, within a quota for all of them.
//
// Must stay true: a file is of one lease, and never mixes what two wrote; what can't be written, or
// is over a limit, is missing in it and nothing else is; no more than the quota is written.
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

    // What is not there yet of the piece, within `most` bytes of its stream and `quota` in all.
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
    // What begins stdout in the file, without a gap.
    std::string stdout_of(const Key& key) const;

    std::vector<Key> keys() const;

    int64_t bytes() const { return bytes_; }

  private:
    struct File {
        int64_t bytes = 0;
        int fd = -1;  // while it is written
        std::array<int64_t, 2> sizes{};
        bool full = false;  // an error or the quota: nothing more is written
    };

    std::string path_of(const Key& key) const;
    void find_files();
    bool open(const Key& key, const std::string& token, File& file);
    void give_up(const Key& key, File& file, const std::string& why);

    std::string dir_;
    std::map<Key, File> files_;
    int64_t bytes_ = 0;
};

}  // namespace jobq
