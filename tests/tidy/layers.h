// Layers: the table of layers.txt, which says of each folder what it may include and call. And
// Symbols: what the library of a folder defines and what it takes from others, as nm says.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace jobq::tidy {

struct Layer {
    std::string folder;
    std::vector<std::string> entries;  // see layers.txt
};

class Layers {
  public:
    explicit Layers(std::string_view text);  // of layers.txt

    const std::vector<Layer>& rows() const { return rows_; }

    // The row that a file or folder belongs to; null: none.
    const Layer* layer_of(std::string_view path) const;
    // Whether `layer` may link to `other`.
    bool names(const Layer& layer, const Layer& other) const;
    bool may_include(const Layer& layer, std::string_view path) const;

  private:
    std::vector<Layer> rows_;
};

struct Symbols {
    std::set<std::string> defined, wanted;
};

// Of the output of `nm -g -P`.
Symbols symbols_of(std::string_view nm);

}  // namespace jobq::tidy
