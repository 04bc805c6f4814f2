// JsonShape: whether a stream of bytes may be one JSON object or array, told by its brackets and
// strings alone, in constant memory. For output that is too long to be kept, and read, whole.
#pragma once

#include <cstdint>
#include <string_view>

namespace jobq {

class JsonShape {
  public:
    void add(std::string_view bytes);

    // It began, and ended, as an object or an array does, with nothing behind it.
    bool is_closed() const { return place_ == Place::behind; }

  private:
    enum class Place : uint8_t { before, inside, text, escape, behind, no };

    Place place_ = Place::before;
    int64_t depth_ = 0;
};

}  // namespace jobq
