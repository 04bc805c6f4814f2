#include "daemon/runner/json_shape.h"

namespace jobq {
namespace {

bool is_blank(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

}  // namespace

void JsonShape::add(std::string_view bytes) {
    for (char c : bytes) {
        switch (place_) {
            case Place::no:
                return;
            case Place::before:
            case Place::behind:
                if (is_blank(c)) break;
                if (place_ == Place::behind || (c != '{' && c != '[')) {
                    place_ = Place::no;
                    return;
                }
                place_ = Place::inside;
                depth_ = 1;
                break;
            case Place::inside:
                if (c == '"') place_ = Place::text;
                if (c == '{' || c == '[') ++depth_;
                if ((c == '}' || c == ']') && --depth_ == 0) place_ = Place::behind;
                break;
            case Place::text:
                if (c == '\\') place_ = Place::escape;
                if (c == '"') place_ = Place::inside;
                break;
            case Place::escape:
                place_ = Place::text;
                break;
        }
    }
}

}  // namespace jobq
