// Names of functions for addresses in the memory of a process, from the ELF symbols of the files it
// maps (or of their separate debug files). Without a library for it: such would be loaded at every
// start of jobq.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/profile/raw_profile.h"

namespace jobq::cli {

class ElfFile;

class Symbols {
  public:
    // `build_ids`: by path, of what the process runs; a file here that has another is not used.
    Symbols(std::vector<Mapping> map, std::map<std::string, std::string> build_ids);
    ~Symbols();

    // The function, without its parameters; "[file+0x1234]" or "[0x1234]" when it has no name.
    std::string name(uint64_t address);

    // What people should know: files that are gone or are another build, a sentence each.
    const std::vector<std::string>& remarks() const { return remarks_; }

  private:
    const ElfFile* file_of(const std::string& path);

    std::vector<Mapping> map_;
    std::map<std::string, std::string> build_ids_;
    std::map<std::string, std::unique_ptr<ElfFile>> files_;  // null: can't be used
    std::map<uint64_t, std::string> known_;
    std::vector<std::string> remarks_;
};

}  // namespace jobq::cli
