# Makes OUT/web_assets.cpp, the dashboard as part of jobqd, at build time:
#   cmake -D SOURCE=daemon/web -D OUT=... -D MODE=ON|AUTO|OFF [-D NPM=... -D NODE=...] -P bundle.cmake
# npm ci runs in OUT, and only when package-lock.json has changed. When there is no npm, or it fails,
# mode AUTO leaves the dashboard out and says so; mode ON fails.

# A file that has no dashboard in it, and why.
function(leave_out why)
  if(MODE STREQUAL "ON")
    message(FATAL_ERROR "The dashboard can't be built: ${why}. -D JOBQ_DASHBOARD=OFF leaves it out.")
  endif()
  if(MODE STREQUAL "AUTO")
    message(WARNING "jobqd is built without its dashboard: ${why}. "
            "Once that is mended: cmake -D JOBQ_DASHBOARD=ON, and build again.")
  endif()
  file(WRITE ${OUT}/web_assets.cpp "// Made by daemon/web/bundle.cmake.
#include \"daemon/http/web_files.h\"

namespace jobq {

std::span<const WebFile> web_files() {
    return {};
}

std::string_view web_missing() {
    return \"${why}\";
}

}  // namespace jobq
")
  set(left_out TRUE PARENT_SCOPE)
endfunction()

function(install_packages)
  file(SHA256 ${SOURCE}/package-lock.json wanted)
  set(stamp ${OUT}/node_modules/.of-lock)
  if(EXISTS ${stamp})
    file(READ ${stamp} there)
    if(there STREQUAL wanted)
      return()
    endif()
  endif()
  file(COPY ${SOURCE}/package.json ${SOURCE}/package-lock.json DESTINATION ${OUT})
  # From npm's cache as far as it goes: several build trees load the packages once.
  execute_process(
    COMMAND ${NPM} ci --ignore-scripts --no-audit --no-fund --prefer-offline --loglevel=error
            --fetch-retries=1 --fetch-timeout=60000
    WORKING_DIRECTORY ${OUT} RESULT_VARIABLE failed OUTPUT_QUIET ERROR_VARIABLE text TIMEOUT 300)
  if(failed)
    message("${text}")
    set(npm_failed TRUE PARENT_SCOPE)
    return()
  endif()
  file(WRITE ${stamp} ${wanted})
endfunction()

file(MAKE_DIRECTORY ${OUT})
if(MODE STREQUAL "OFF")
  leave_out("it was built with -D JOBQ_DASHBOARD=OFF")
elseif(NOT NPM OR NOT NODE)
  leave_out("npm was not there when it was built")
else()
  install_packages()
  if(npm_failed)
    leave_out("npm could not load its packages when it was built")
  endif()
endif()
if(left_out)
  return()
endif()
execute_process(COMMAND ${NODE} ${SOURCE}/build.mjs ${OUT} RESULT_VARIABLE failed)
if(failed)
  # Its sources are wrong: that is no reason to build without it.
  message(FATAL_ERROR "The dashboard's sources do not build; see above.")
endif()
