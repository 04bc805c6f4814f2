// TempDir: a directory of its own for one test case, gone when the test ends. Short, so that socket
// paths in it stay under 107 bytes. With JOBQ_KEEP_TMP set it stays, to be looked at.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>

namespace jobq::test {

class TempDir {
  public:
    TempDir() {
        const char* base = std::getenv("TMPDIR");
        std::string pattern = std::string(base && *base ? base : "/tmp") + "/jobq-t-XXXXXX";
        if (!mkdtemp(pattern.data())) throw std::runtime_error("can't make " + pattern);
        path_ = pattern;
    }

    ~TempDir() {
        if (std::getenv("JOBQ_KEEP_TMP")) return;
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    TempDir(const TempDir&) = delete;

    const std::string& path() const { return path_; }

    // Path of a file or directory in it.
    std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }

    // Writes a file and returns its path.
    std::string write(std::string_view name, std::string_view content) const {
        std::string path = *this / name;
        std::ofstream out(path, std::ios::binary);
        out << content;
        out.close();
        if (!out) throw std::runtime_error("can't write " + path);
        return path;
    }

  private:
    std::string path_;
};

// "" when it can't be read.
inline std::string read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    try {
        return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    } catch (const std::ios_base::failure&) {
        return {};  // of a process in /proc that has ended meanwhile
    }
}

}  // namespace jobq::test
