// Invocation: what a verb is given: its arguments, where to write, and the way to the daemon.
#pragma once

#include <string>

#include "cli/line/args.h"
#include "cli/link/client.h"
#include "cli/terminal/output.h"
#include "core/json/view.h"
#include "core/json/writer.h"

namespace jobq::cli {

class Invocation {
  public:
    Invocation(const Args& arguments, Output& output) : args(arguments), out(output) {}

    Target target() const {
        return {args.text("--server"), args.text("--ca-file"), args.text("--password-file")};
    }

    // Connects anew on each call.
    Answer<Client> connect() { return Client::connect(target()); }

    const Args& args;
    Output& out;
};

}  // namespace jobq::cli
