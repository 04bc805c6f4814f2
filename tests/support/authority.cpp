#include "tests/support/authority.h"

#include <cstdlib>
#include <stdexcept>

namespace jobq::test {
namespace {

void certtool(const TempDir& dir, const std::string& arguments) {
    const std::string log = dir / "certtool.log";
    const std::string command = "certtool " + arguments + " >'" + log + "' 2>&1 </dev/null";
    if (std::system(command.c_str()) != 0)
        throw std::runtime_error("certtool (package gnutls-bin): " + read_file(log));
}

void make_key(const TempDir& dir, const std::string& file) {
    certtool(dir, "--generate-privkey --key-type ecdsa --curve secp256r1 --outfile '" + file + "'");
}

}  // namespace

TestAuthority::TestAuthority(const TempDir& dir, std::string name) : dir_(dir) {
    own_ = {dir / (name + ".pem"), dir / (name + ".key")};
    make_key(dir, own_.key);
    const std::string form = dir.write(
        name + ".form", "cn = \"" + name + "\"\nca\ncert_signing_key\nexpiration_days = 2\n");
    certtool(dir, "--generate-self-signed --load-privkey '" + own_.key + "' --template '" + form +
                      "' --outfile '" + own_.certificate + "'");
}

TestAuthority::Pair TestAuthority::issue(const std::string& name, const std::string& names) const {
    const Pair pair{dir_ / (name + ".pem"), dir_ / (name + ".key")};
    make_key(dir_, pair.key);
    const std::string own = "dns_name = \"localhost\"\nip_address = \"127.0.0.1\"\n";
    const std::string form =
        dir_.write(name + ".form", "cn = \"" + name + "\"\n" + (names.empty() ? own : names) +
                                       "tls_www_server\nsigning_key\nexpiration_days = 2\n");
    certtool(dir_, "--generate-certificate --load-privkey '" + pair.key +
                       "' --load-ca-certificate '" + own_.certificate + "' --load-ca-privkey '" +
                       own_.key + "' --template '" + form + "' --outfile '" + pair.certificate +
                       "'");
    return pair;
}

}  // namespace jobq::test
