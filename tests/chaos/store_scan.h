// What is in a store at the end of a chaos run, by the bytes that Redis left on the disk: a copy of
// them is loaded into another Redis and looked through key by key, past jobqd and its scripts.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace jobq::chaos {

// By job, the places it is in: ready, scheduled, retrying, dead, running, or the state of its final
// record; the same word again for every time it is there. A job that is kept but in no place has
// none. `directory` holds appendonlydir. Throws when Redis can't load it.
std::map<std::string, std::vector<std::string>> scan_store(const std::string& directory);

}  // namespace jobq::chaos
