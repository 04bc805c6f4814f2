#include "daemon/observe/profile.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/base/text.h"

#ifdef JOBQ_HAS_PROFILER
#include <gperftools/profiler.h>
#endif

namespace jobq {
namespace {

// A file of the profiler, read once and removed.
class ProfileFile {
  public:
    explicit ProfileFile(const std::string& dir) : path_(dir + "/profile.tmp") {
        unlink(path_.c_str());
    }

    ProfileFile(const ProfileFile&) = delete;

    ~ProfileFile() { unlink(path_.c_str()); }

    const std::string& path() const { return path_; }

    Result<std::string> read() const {
        std::ifstream in(path_, std::ios::binary);
        std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
        if (bytes.empty())
            return fail(ErrorCode::internal, "the profiler left nothing in " + path_);
        return bytes;
    }

  private:
    std::string path_;
};

#ifdef JOBQ_HAS_PROFILER

class CpuProfile : public Profile {
  public:
    explicit CpuProfile(const std::string& dir) : file_(dir) {}

    ~CpuProfile() override {
        if (running_) ProfilerStop();
    }

    bool start() { return running_ = ProfilerStart(file_.path().c_str()) != 0; }

    const char* format() const override { return "gperftools-cpu"; }

    Result<std::string> finish() override {
        ProfilerStop();
        running_ = false;
        return file_.read();
    }

  private:
    ProfileFile file_;
    bool running_ = false;
};

#endif

// jemalloc's mallctl(), when the process was started with that library.
using Mallctl = int (*)(const char* name, void* old, size_t* old_size, void* fresh, size_t size);

Mallctl find_mallctl() {
    return reinterpret_cast<Mallctl>(dlsym(RTLD_DEFAULT, "mallctl"));
}

constexpr const char* kHeapHowTo =
    "start jobqd with LD_PRELOAD=libjemalloc.so.2 and MALLOC_CONF=prof:true,prof_active:false in "
    "its "
    "environment, see jobqd(8)";
// One sample for each 16 KiB allocated: fine enough for a heap of some MiB.
constexpr size_t kHeapSampleLog2 = 14;

class HeapProfile : public Profile {
  public:
    HeapProfile(const std::string& dir, Mallctl mallctl) : file_(dir), mallctl_(mallctl) {}

    ~HeapProfile() override {
        if (started_) set_active(false);
    }

    Result<> start() {
        bool profiles = false, active = false;
        if (!get("opt.prof", profiles) || !profiles)
            return fail(ErrorCode::conflict,
                        "this jobqd has jemalloc but not its profiler: " + std::string(kHeapHowTo));
        get("prof.active", active);
        if (active) return {};
        size_t sample = kHeapSampleLog2;
        mallctl_("prof.reset", nullptr, nullptr, &sample, sizeof sample);
        if (!set_active(true))
            return fail(ErrorCode::internal, "jemalloc can't start its profiler");
        started_ = true;
        return {};
    }

    const char* format() const override { return "jemalloc-heap"; }

    bool takes_time() const override { return started_; }

    Result<std::string> finish() override {
        const char* path = file_.path().c_str();
        int failed = mallctl_("prof.dump", nullptr, nullptr, &path, sizeof path);
        if (started_) set_active(false);
        started_ = false;
        if (failed != 0)
            return fail(ErrorCode::internal,
                        "jemalloc can't write " + file_.path() + ": " + std::strerror(failed));
        return file_.read();
    }

  private:
    bool get(const char* name, bool& value) const {
        size_t size = sizeof value;
        return mallctl_(name, &value, &size, nullptr, 0) == 0;
    }

    bool set_active(bool active) const {
        return mallctl_("prof.active", nullptr, nullptr, &active, sizeof active) == 0;
    }

    ProfileFile file_;
    Mallctl mallctl_;
    bool started_ = false;
};

// The build id among the notes of one segment; "" when it is not there.
std::string build_id_in(std::string_view notes) {
    while (notes.size() >= sizeof(ElfW(Nhdr))) {
        ElfW(Nhdr) note;
        std::memcpy(&note, notes.data(), sizeof note);
        size_t name = (size_t(note.n_namesz) + 3) & ~size_t(3);
        size_t all = sizeof note + name + ((size_t(note.n_descsz) + 3) & ~size_t(3));
        if (all > notes.size()) break;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
            notes.substr(sizeof note, 3) == "GNU")
            return hex(notes.substr(sizeof note + name, note.n_descsz));
        notes.remove_prefix(all);
    }
    return "";
}

int add_module(dl_phdr_info* info, size_t, void* modules) {
    Module module;
    module.path = info->dlpi_name;
    std::error_code ignored;
    if (module.path.empty())
        module.path = std::filesystem::read_symlink("/proc/self/exe", ignored).string();
    module.path = std::filesystem::weakly_canonical(module.path, ignored).string();
    for (size_t i = 0; i < info->dlpi_phnum && module.build_id.empty(); ++i) {
        const auto& segment = info->dlpi_phdr[i];
        if (segment.p_type != PT_NOTE) continue;
        // The dynamic linker gives addresses as numbers.
        // NOLINTNEXTLINE(performance-no-int-to-ptr)
        const auto* notes = reinterpret_cast<const char*>(info->dlpi_addr + segment.p_vaddr);
        module.build_id = build_id_in({notes, segment.p_memsz});
    }
    static_cast<std::vector<Module>*>(modules)->push_back(std::move(module));
    return 0;
}

}  // namespace

Result<std::unique_ptr<Profile>> Profile::start_cpu([[maybe_unused]] const std::string& dir) {
#ifdef JOBQ_HAS_PROFILER
    auto profile = std::make_unique<CpuProfile>(dir);
    if (!profile->start())
        return fail(ErrorCode::conflict,
                    "the CPU profiler can't start: it is already running (check CPUPROFILE), or it "
                    "can't write to " +
                        dir);
    return profile;
#else
    return fail(ErrorCode::conflict,
                "this jobqd was built without the CPU profiler; install gperftools "
                "(libgoogle-perftools-dev) and build it again, without sanitizers");
#endif
}

Result<std::unique_ptr<Profile>> Profile::start_heap(const std::string& dir) {
    Mallctl mallctl = find_mallctl();
    if (!mallctl)
        return fail(ErrorCode::conflict,
                    "this jobqd was started without the heap profiler: " + std::string(kHeapHowTo));
    auto profile = std::make_unique<HeapProfile>(dir, mallctl);
    auto started = profile->start();
    if (!started) return tl::unexpected<Error>(started.error());
    return profile;
}

std::vector<Module> loaded_modules() {
    std::vector<Module> modules;
    dl_iterate_phdr(add_module, &modules);
    return modules;
}

}  // namespace jobq
