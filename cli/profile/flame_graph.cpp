#include "cli/profile/flame_graph.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <memory>

#include "core/base/text.h"

namespace jobq::cli {
namespace {

constexpr double kWidth = 1200, kMargin = 10, kRow = 17, kTop = 40, kLetter = 6.6;
constexpr double kLeastWidth = 0.2;  // narrower boxes are left out

// Functions by name, so that equal callers share a box.
struct Node {
    double value = 0;
    std::map<std::string, std::unique_ptr<Node>> calls;
};

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '&')
            out += "&amp;";
        else if (c == '<')
            out += "&lt;";
        else if (c == '>')
            out += "&gt;";
        else if (c == '"')
            out += "&quot;";
        else
            out += c;
    }
    return out;
}

std::string number(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2f", value);
    return text;
}

// Warm, and the same for a name in every graph.
std::string colour(std::string_view name) {
    uint32_t hash = 2'166'136'261;
    for (const char c : name)
        hash = (hash ^ uint8_t(c)) * 16'777'619;
    const auto part = [&](int shift, uint32_t range) { return (hash >> shift) % range; };
    return "rgb(" + std::to_string(205 + part(0, 50)) + "," + std::to_string(90 + part(8, 130)) +
           "," + std::to_string(part(16, 60)) + ")";
}

size_t depth_of(const Node& node) {
    size_t deepest = 0;
    for (const auto& [name, call] : node.calls)
        deepest = std::max(deepest, depth_of(*call));
    return deepest + 1;
}

// A click on a box makes it as wide as the picture, its callers too, and hides the rest; a click on
// the lowest shows all again. A search marks the boxes whose name matches and says how much of all
// they are: each sample counts once, however often the name stands in its stack.
constexpr std::string_view kScript = R"(
var boxes = Array.from(document.querySelectorAll('g.box'));
boxes.forEach(function (g) { g.addEventListener('click', function () { zoom(g); }); });
var sought = null, found = document.getElementById('found'), ask = document.getElementById('ask');
ask.addEventListener('click', function () { sought === null ? search() : mark(null); });
document.addEventListener('keydown', function (e) {
  if (e.key === 'Escape') mark(null);
  else if (e.key === '/' || e.key === 'F3' || (e.key.toLowerCase() === 'f' && (e.ctrlKey || e.metaKey))) {
    e.preventDefault();
    search();
  }
});
function search() {
  var text = prompt('Functions whose name matches (a regular expression):', sought === null ? '' : sought);
  if (text !== null) mark(text === '' ? null : text);
}
function mark(text) {
  var what = null, taken = [], sum = 0;
  try {
    if (text !== null) what = new RegExp(text, 'i');
  } catch (e) {
    what = new RegExp(text.replace(/[^A-Za-z0-9_]/g, '\\$&'), 'i');
  }
  sought = text;
  boxes.forEach(function (g) {
    var hit = what !== null && what.test(g.getAttribute('data-name'));
    g.classList.toggle('hit', hit);
    if (!hit) return;
    var x = of(g, 'x'), w = of(g, 'w');
    // Boxes come with callers first: one inside a marked one is counted already.
    if (taken.some(function (t) { return x >= t[0] - 0.01 && x + w <= t[0] + t[1] + 0.01; })) return;
    taken.push([x, w]);
    sum += w;
  });
  ask.textContent = what === null ? 'search' : 'reset search';
  found.textContent = what === null ? '' : text + ': ' + (100 * sum / FULL).toFixed(1) + ' %';
}
function of(g, name) { return parseFloat(g.getAttribute('data-' + name)); }
function zoom(to) {
  var left = of(to, 'x'), width = of(to, 'w'), scale = FULL / width;
  boxes.forEach(function (g) {
    var x = of(g, 'x'), w = of(g, 'w'), rect = g.querySelector('rect'), text = g.querySelector('text');
    var from = Math.max(x, left), until = Math.min(x + w, left + width);
    var wide = (until - from) * scale;
    g.style.display = wide > 0.2 ? '' : 'none';
    if (wide <= 0.2) return;
    rect.setAttribute('x', MARGIN + (from - left) * scale);
    rect.setAttribute('width', wide);
    text.setAttribute('x', MARGIN + (from - left) * scale + 3);
    var name = g.getAttribute('data-name'), letters = Math.floor((wide - 6) / LETTER);
    text.textContent = letters < 3 ? '' : name.length <= letters ? name : name.slice(0, letters - 2) + '..';
  });
}
)";

class Drawing {
  public:
    Drawing(double all, size_t rows, std::string (*words)(double))
        : all_(all), height_(kTop + double(rows) * kRow + kMargin), words_(words) {}

    void box(const std::string& name, const Node& node, double x, size_t row) {
        const double width = node.value / all_ * (kWidth - 2 * kMargin);
        if (width < kLeastWidth) return;
        const double y = height_ - kMargin - double(row + 1) * kRow;
        const std::string shown = escaped(name);
        out_ += "<g class=\"box\" data-name=\"" + shown + "\" data-x=\"" + number(x) +
                "\" data-w=\"" + number(width) + "\"><title>" + shown + ": " +
                escaped(words_(node.value)) + ", " + number(node.value / all_ * 100) +
                " %</title><rect x=\"" + number(kMargin + x) + "\" y=\"" + number(y) +
                "\" width=\"" + number(width) + "\" height=\"" + number(kRow - 1) + "\" fill=\"" +
                colour(name) + "\"/><text x=\"" + number(kMargin + x + 3) + "\" y=\"" +
                number(y + kRow - 5) + "\">" + escaped(fitting(name, width)) + "</text></g>\n";
        for (const auto& [callee, call] : node.calls) {
            box(callee, *call, x, row + 1);
            x += call->value / all_ * (kWidth - 2 * kMargin);
        }
    }

    std::string done(std::string_view title) const {
        const std::string size = number(kWidth) + " " + number(height_);
        std::string text =
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" "
            "width=\"" +
            number(kWidth) + "\" height=\"" + number(height_) + "\" viewBox=\"0 0 " + size +
            "\">\n<style>text { font: 11px monospace; pointer-events: none; } "
            ".box, #ask { cursor: pointer; } #ask { pointer-events: auto; } "
            ".box:hover rect { stroke: black; } .hit rect { fill: rgb(230,0,230); }</style>\n"
            "<rect width=\"100%\" height=\"100%\" fill=\"#fdfdf6\"/>\n<text x=\"" +
            number(kMargin) + "\" y=\"24\" style=\"font-size: 15px\">" + escaped(title) +
            "</text>\n<text id=\"found\" x=\"" + number(kWidth - 120) +
            "\" y=\"24\" text-anchor=\"end\"></text>\n" +
            "<text id=\"ask\" role=\"button\" tabindex=\"0\" x=\"" + number(kWidth - kMargin) +
            "\" y=\"24\" text-anchor=\"end\">search</text>\n";
        text += out_;
        text += "<script><![CDATA[\nvar FULL = " + number(kWidth - 2 * kMargin) +
                ", MARGIN = " + number(kMargin) + ", LETTER = " + number(kLetter) + ";";
        text += kScript;
        return text + "]]></script>\n</svg>\n";
    }

  private:
    static std::string fitting(const std::string& name, double width) {
        const double letters = (width - 6) / kLetter;
        if (letters < 3) return "";
        if (name.size() <= size_t(letters)) return name;
        return std::string(utf8_prefix(name, size_t(letters) - 2)) + "..";
    }

    double all_, height_;
    std::string (*words_)(double);
    std::string out_;
};

}  // namespace

std::string flame_graph(const Stacks& stacks, std::string_view title,
                        std::string (*words)(double value)) {
    Node root;
    for (const auto& [names, value] : stacks) {
        root.value += value;
        Node* node = &root;
        for (const auto& name : names) {
            auto& call = node->calls[name];
            if (!call) call = std::make_unique<Node>();
            call->value += value;
            node = call.get();
        }
    }
    Drawing drawing(std::max(root.value, 1e-9), depth_of(root), words);
    drawing.box("all", root, 0, 0);
    return drawing.done(title);
}

}  // namespace jobq::cli
