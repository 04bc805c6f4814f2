#include "tests/support/live/webhook_kit.h"

#include <sys/stat.h>

namespace jobq::test {

std::string webhook_config(const std::string& folder, int port, const std::string& more) {
    return "[pool.default]\nkind = \"thread\"\nslots = 4\n"
           "[type.fail]\nbackoff = { base = \"10ms\", factor = 1, jitter = 0 }\n"
           "[webhook]\nsecret_file = \"" +
           folder + "/secrets\"\nallow_private = [\"http://127.0.0.1:" + std::to_string(port) +
           "\"]\n" + more + "\n";
}

Secrets::Secrets(const std::string& lines) {
    write(lines);
}

void Secrets::write(const std::string& lines) const {
    dir.write("secrets", lines + "\n");
    ::chmod((dir / "secrets").c_str(), 0600);
}

std::string openssl_signature(const ReceivedRequest& request, const std::string& key) {
    CliCall call;
    call.program = "/usr/bin/openssl";
    call.args = {"dgst", "-sha256", "-hmac", key, "-binary"};
    call.input = request.headers.at("webhook-id") + "." + request.headers.at("webhook-timestamp") +
                 "." + request.body;
    call.no_input = false;
    const Ran mac = run_cli(call);
    CliCall encode;
    encode.program = "/usr/bin/openssl";
    encode.args = {"base64", "-A"};
    encode.input = mac.out;
    encode.no_input = false;
    return "v1," + run_cli(encode).out;
}

nlohmann::json body_of(const ReceivedRequest& request) {
    return nlohmann::json::parse(request.body);
}

std::string id_of(const ReceivedRequest& request) {
    return request.headers.at("webhook-id");
}

}  // namespace jobq::test
