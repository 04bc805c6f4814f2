# Turns core/store/lua/*.lua into one C++ source: for each script its name, text and SHA-1.
# `--@include NAME` lines are replaced by lua/lib/NAME.lua. Called with SOURCE_DIR and OUT.
file(GLOB scripts ${SOURCE_DIR}/*.lua)
list(SORT scripts)
set(rows "")
foreach(path IN LISTS scripts)
  get_filename_component(name ${path} NAME_WE)
  file(READ ${path} text)
  file(GLOB libs ${SOURCE_DIR}/lib/*.lua)
  foreach(lib IN LISTS libs)
    get_filename_component(lib_name ${lib} NAME_WE)
    string(FIND "${text}" "--@include ${lib_name}\n" found)
    if(NOT found EQUAL -1)
      file(READ ${lib} lib_text)
      string(REPLACE "--@include ${lib_name}\n" "${lib_text}" text "${text}")
    endif()
  endforeach()
  string(FIND "${text}" "--@include" unresolved)
  if(NOT unresolved EQUAL -1)
    message(FATAL_ERROR "${path}: an --@include names no file of lua/lib")
  endif()
  string(SHA1 sha "${text}")
  string(APPEND rows "    {\"${name}\", \"${sha}\", R\"lua(${text})lua\"},\n")
endforeach()
file(WRITE ${OUT} "// Generated from core/store/lua by embed_lua.cmake.
#include \"core/store/script.h\"

namespace jobq {
namespace {
constexpr Script kScripts[] = {
${rows}};
}  // namespace

std::span<const Script> all_scripts() {
    return kScripts;
}
}  // namespace jobq
")
