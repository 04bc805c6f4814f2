// The OpenAPI 3.1 document of the HTTP API: made of the table of routes and of schemas.cpp, once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace jobq {

// `base`: the path below which the addresses are; "": they begin with /.
std::string openapi_document(std::string_view base = {});

struct Schema {
    std::string_view name, json;
};

std::vector<Schema> schemas();

}  // namespace jobq
