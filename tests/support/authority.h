// TestAuthority: a certificate authority for one test, and server certificates it signs. Made by
// certtool(1), with ECDSA keys because they are quick to make.
#pragma once

#include <string>

#include "tests/support/temp_dir.h"

namespace jobq::test {

class TestAuthority {
  public:
    explicit TestAuthority(const TempDir& dir, std::string name = "ca");

    struct Pair {
        std::string certificate, key;  // files
    };

    const std::string& file() const { return own_.certificate; }

    // `names`: lines of certtool's template; the loopback's names when empty.
    Pair issue(const std::string& name, const std::string& names = "") const;

  private:
    const TempDir& dir_;
    Pair own_;
};

}  // namespace jobq::test
