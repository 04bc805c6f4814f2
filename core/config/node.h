// Node: a TOML value and where it stands. load.cpp makes them from files, environment.cpp from
// variables, loader.cpp reads them into a Config; so that only load.cpp knows the TOML library.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace jobq {

// 1-based; line 0: `source` alone says where (an environment variable, a file as a whole).
struct Place {
    std::string source;
    int line = 0, column = 0;

    std::string origin() const { return line ? source + ":" + std::to_string(line) : source; }
};

struct Member;

struct Node {
    enum class Type : uint8_t { text, integer, number, boolean, list, table, date };

    Type type = Type::table;
    Place place;
    std::string text;
    int64_t integer = 0;
    double number = 0;
    bool boolean = false;
    std::vector<Node> items;      // of a list
    std::vector<Member> members;  // of a table

    const Member* find(std::string_view name) const;
};

struct Member {
    std::string name;
    Place place;  // of the name
    Node value;
};

// "a string", "a table": for "must be ..., not a table".
std::string_view kind_name(Node::Type type);

}  // namespace jobq
