// What an import found and did, by set, and how it is told. Filled by import_faktory.cpp.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/terminal/output.h"

namespace jobq::cli {

struct ImportSet {
    std::string kind;   // queue, scheduled, retries, dead, working
    std::string queue;  // of a queue
    int64_t found = 0, stored = 0, known = 0, refused = 0;

    std::string label() const { return queue.empty() ? kind : kind + " " + queue; }
};

struct ImportRefusal {
    std::string jid, set, text;
};

struct ImportReport {
    std::string source;
    bool dry_run = false;
    std::vector<ImportSet> sets;
    std::vector<ImportRefusal> refusals;  // the first kRefusalsShown
    std::vector<std::string> paused;
    std::vector<std::string> changed;  // sets that changed while they were read
    int64_t processed = 0, failures = 0;

    int64_t refused() const;
    void refuse(ImportSet& set, std::string jid, std::string text);
    void print(Output& out) const;
};

}  // namespace jobq::cli
