#include "cli/profile/symbols.h"

#include <cxxabi.h>
#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>

#include "core/base/text.h"

namespace jobq::cli {
namespace {

// A file's bytes; nothing is read outside of them, whatever the file says.
class MappedFile {
  public:
    explicit MappedFile(const std::string& path) {
        const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);

        struct stat about {};

        if (fd >= 0 && fstat(fd, &about) == 0 && about.st_size > 0) {
            void* data = mmap(nullptr, size_t(about.st_size), PROT_READ, MAP_PRIVATE, fd, 0);
            if (data != MAP_FAILED)
                bytes_ = {static_cast<const char*>(data), size_t(about.st_size)};
        }
        if (fd >= 0) ::close(fd);
    }

    MappedFile(const MappedFile&) = delete;

    ~MappedFile() {
        if (!bytes_.empty()) munmap(const_cast<char*>(bytes_.data()), bytes_.size());
    }

    // Empty when it is not all there.
    std::string_view part(uint64_t at, uint64_t size) const {
        if (at > bytes_.size() || size > bytes_.size() - at) return {};
        return bytes_.substr(at, size);
    }

    // A table of T's.
    template <class T>
    std::vector<T> table(uint64_t at, uint64_t count) const {
        const auto bytes = part(at, count > bytes_.size() ? UINT64_MAX : count * sizeof(T));
        std::vector<T> rows(bytes.size() / sizeof(T));
        if (!rows.empty()) std::memcpy(rows.data(), bytes.data(), rows.size() * sizeof(T));
        return rows;
    }

  private:
    std::string_view bytes_;
};

std::string to_hex(uint64_t value) {
    char digits[2 * sizeof value];
    const auto end = std::to_chars(digits, digits + sizeof digits, value, 16).ptr;
    return std::string(digits, end);
}

std::string text_at(std::string_view strings, uint64_t at) {
    if (at >= strings.size()) return "";
    strings.remove_prefix(at);
    return std::string(strings.substr(0, strings.find('\0')));
}

std::string build_id_in(std::string_view notes) {
    while (notes.size() >= sizeof(Elf64_Nhdr)) {
        Elf64_Nhdr note;
        std::memcpy(&note, notes.data(), sizeof note);
        const uint64_t name = (uint64_t(note.n_namesz) + 3) & ~uint64_t(3);
        const uint64_t all = sizeof note + name + ((uint64_t(note.n_descsz) + 3) & ~uint64_t(3));
        if (all > notes.size()) break;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
            notes.substr(sizeof note, 3) == "GNU")
            return hex(notes.substr(sizeof note + name, note.n_descsz));
        notes.remove_prefix(all);
    }
    return "";
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
        text.replace(at, from.size(), to);
}

// "jobq::Session::run(std::string) const [clone .actor]" to "jobq::Session::run".
std::string short_name(std::string text) {
    replace_all(text, "std::__cxx11::", "std::");
    replace_all(text, "std::basic_string<char, std::char_traits<char>, std::allocator<char> >",
                "std::string");
    if (const size_t clone = text.find(" [clone"); clone != text.npos) text.resize(clone);
    const size_t close = text.rfind(')');
    const bool at_end = close != text.npos && text.find_first_of(":{", close) == text.npos;
    if (!at_end) return text;
    size_t depth = 0;
    for (size_t i = close + 1; i-- > 0;) {
        if (text[i] == ')') ++depth;
        if (text[i] == '(' && --depth == 0) return i == 0 ? text : text.substr(0, i);
    }
    return text;
}

std::string demangled(const std::string& symbol) {
    int status = 0;
    char* plain = abi::__cxa_demangle(symbol.c_str(), nullptr, nullptr, &status);
    std::string text = status == 0 && plain ? plain : symbol;
    std::free(plain);
    if (status != 0) return text.substr(0, text.find('@'));  // without the symbol's version
    return short_name(std::move(text));
}

}  // namespace

class ElfFile {
  public:
    explicit ElfFile(const std::string& path) : file_(path) {
        const auto heads = file_.table<Elf64_Ehdr>(0, 1);
        if (heads.empty() || std::memcmp(heads[0].e_ident, ELFMAG, SELFMAG) != 0 ||
            heads[0].e_ident[EI_CLASS] != ELFCLASS64)
            return;
        segments_ = file_.table<Elf64_Phdr>(heads[0].e_phoff, heads[0].e_phnum);
        sections_ = file_.table<Elf64_Shdr>(heads[0].e_shoff, heads[0].e_shnum);
        for (const auto& segment : segments_)
            if (segment.p_type == PT_NOTE && build_id_.empty())
                build_id_ = build_id_in(file_.part(segment.p_offset, segment.p_filesz));
    }

    bool is_elf() const { return !segments_.empty(); }

    const std::string& build_id() const { return build_id_; }

    // Its own symbols, else those of its debug file, else what it exports.
    void read_symbols() {
        read_table(SHT_SYMTAB, *this);
        if (!functions_.empty() || build_id_.size() < 3) return sort();
        debug_ = std::make_unique<ElfFile>("/usr/lib/debug/.build-id/" + build_id_.substr(0, 2) +
                                           "/" + build_id_.substr(2) + ".debug");
        read_table(SHT_SYMTAB, *debug_);
        if (functions_.empty()) read_table(SHT_DYNSYM, *this);
        sort();
    }

    // Where a byte of the file is in the program's own addresses.
    std::optional<uint64_t> address_of(uint64_t offset) const {
        for (const auto& segment : segments_)
            if (segment.p_type == PT_LOAD && offset >= segment.p_offset &&
                offset - segment.p_offset < segment.p_filesz)
                return offset - segment.p_offset + segment.p_vaddr;
        return std::nullopt;
    }

    std::string function_at(uint64_t address) const {
        auto found = std::upper_bound(
            functions_.begin(), functions_.end(), address,
            [](uint64_t wanted, const Function& function) { return wanted < function.start; });
        if (found == functions_.begin()) return "";
        --found;
        const bool inside = found->size == 0 || address - found->start < found->size;
        return inside ? demangled(text_at(found->names, found->name)) : "";
    }

  private:
    struct Function {
        uint64_t start = 0, size = 0, name = 0;
        std::string_view names;
    };

    void read_table(uint32_t type, const ElfFile& from) {
        for (const auto& section : from.sections_) {
            if (section.sh_type != type || section.sh_link >= from.sections_.size()) continue;
            const auto& strings = from.sections_[section.sh_link];
            const auto names = from.file_.part(strings.sh_offset, strings.sh_size);
            const uint64_t count = section.sh_size / sizeof(Elf64_Sym);
            for (const auto& symbol : from.file_.table<Elf64_Sym>(section.sh_offset, count)) {
                const auto kind = ELF64_ST_TYPE(symbol.st_info);
                const bool code = kind == STT_FUNC || kind == STT_GNU_IFUNC;
                if (code && symbol.st_shndx != SHN_UNDEF)
                    functions_.push_back({symbol.st_value, symbol.st_size, symbol.st_name, names});
            }
        }
    }

    void sort() {
        std::stable_sort(functions_.begin(), functions_.end(),
                         [](const Function& a, const Function& b) { return a.start < b.start; });
    }

    MappedFile file_;
    std::vector<Elf64_Phdr> segments_;
    std::vector<Elf64_Shdr> sections_;
    std::string build_id_;
    std::unique_ptr<ElfFile> debug_;  // owns the names of its functions
    std::vector<Function> functions_;
};

Symbols::Symbols(std::vector<Mapping> map, std::map<std::string, std::string> build_ids)
    : map_(std::move(map)), build_ids_(std::move(build_ids)) {}

Symbols::~Symbols() = default;

const ElfFile* Symbols::file_of(const std::string& path) {
    const auto known = files_.find(path);
    if (known != files_.end()) return known->second.get();
    auto& place = files_[path];
    auto file = std::make_unique<ElfFile>(path);
    const auto running = build_ids_.find(path);
    const std::string wanted = running == build_ids_.end() ? "" : running->second;
    if (!file->is_elf()) {
        remarks_.push_back("no function names for '" + path + "': the file can't be read");
    } else if (wanted != file->build_id()) {
        remarks_.push_back("no function names for '" + path +
                           "': jobqd runs another build of it; restart jobqd");
    } else {
        file->read_symbols();
        place = std::move(file);
    }
    return place.get();
}

std::string Symbols::name(uint64_t address) {
    auto& text = known_[address];
    if (!text.empty()) return text;
    text = "[0x" + to_hex(address) + "]";
    for (const auto& mapping : map_) {
        if (address < mapping.start || address >= mapping.end) continue;
        const uint64_t offset = address - mapping.start + mapping.offset;
        const size_t slash = mapping.path.rfind('/');
        text = "[" + mapping.path.substr(slash + 1) + "+0x" + to_hex(offset) + "]";
        const ElfFile* file = file_of(mapping.path);
        const auto own = file ? file->address_of(offset) : std::nullopt;
        const std::string function = own ? file->function_at(*own) : "";
        if (!function.empty()) text = function;
        break;
    }
    return text;
}

}  // namespace jobq::cli
