// Fuzzes the configuration: whatever is loaded without errors prints as TOML that loads again and
// prints the same.
#include "core/config/config.h"

#include <cstdlib>

#include "core/base/text.h"

namespace {

std::string without_origins(const std::string& printed) {
    std::string text;
    for (auto line : jobq::split(printed, '\n'))
        text += std::string(line.substr(0, line.rfind("  # "))) + "\n";
    return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    std::string toml(reinterpret_cast<const char*>(data), size);
    jobq::Loaded loaded = jobq::load_config_text("fuzz", toml);
    for (const auto& error : loaded.errors)
        if (error.to_string().empty()) std::abort();
    if (!loaded.errors.empty()) return 0;
    std::string printed = jobq::print_config(loaded);
    // The password of a URL is printed as ***, any other value as it is.
    jobq::Loaded again = jobq::load_config_text("printed", printed);
    if (!again.errors.empty()) std::abort();
    if (without_origins(jobq::print_config(again)) != without_origins(printed)) std::abort();
    return 0;
}
