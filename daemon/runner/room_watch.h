// RoomWatch: waits, over a connection of its own, until jobqd has room for more output of the jobs
// that somebody follows.
//
// Must stay true: no job is held up for its output without end, whatever jobqd says or does not
// say.
#pragma once

#include <functional>
#include <vector>

#include "core/async/task.h"
#include "daemon/runner/broker_client.h"
#include "daemon/runner/hub.h"
#include "daemon/runner/run_table.h"

namespace jobq {

class RoomWatch {
  public:
    using OnRooms = std::function<void(const std::vector<OutputRoom>&)>;

    RoomWatch(Hub& hub, RunTable& runs, OnRooms on_rooms);

    task<void> loop();

    void close() { client_.close(); }

  private:
    void end_long_holds();

    Hub& hub_;
    RunTable& runs_;
    OnRooms on_rooms_;
    BrokerClient client_;
    RetryDelay delay_;
};

}  // namespace jobq
