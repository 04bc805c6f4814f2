# A library of each folder of core/layers.txt: `jobq_core_base` of core/base. It links to what its row
# names and to nothing else, so that a call against the layers does not link: tests/tidy looks at the
# symbols of all these libraries (layers.list). A new folder needs a row there, not a word here.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/core/layers.txt)
file(READ ${CMAKE_SOURCE_DIR}/core/layers.txt layers)
string(REGEX REPLACE "\n +" " " layers "${layers}")
string(REGEX MATCHALL "[^\n]+" layers "${layers}")
set(layer_folders "")
foreach(row IN LISTS layers)
  if(row MATCHES "^([a-z/_]+):(.*)$")
    list(APPEND layer_folders ${CMAKE_MATCH_1})
    string(REGEX MATCHALL "[^ ]+" layer_${CMAKE_MATCH_1} "${CMAKE_MATCH_2}")
  endif()
endforeach()

# One precompiled header for all of them. It is no better than the flags it was made with: whatever
# sets others for a folder makes g++ say so.
file(WRITE ${CMAKE_BINARY_DIR}/generated/pch.cpp.in "// What is read once for all folders.\n")
configure_file(${CMAKE_BINARY_DIR}/generated/pch.cpp.in ${CMAKE_BINARY_DIR}/generated/pch.cpp COPYONLY)
add_library(jobq_pch STATIC ${CMAKE_BINARY_DIR}/generated/pch.cpp)
target_link_libraries(jobq_pch PRIVATE jobq_flags)
target_precompile_headers(jobq_pch PRIVATE ${jobq_precompiled})

# The libraries that a folder's row names, itself not among them.
function(jobq_layer_links folder result)
  set(links "")
  foreach(entry IN LISTS layer_${folder})
    if(entry MATCHES "^(.*)/[^/]+\\.h$")
      set(named ${CMAKE_MATCH_1})
    elseif(entry MATCHES "^(.*)/\\*$")
      set(named ${layer_folders})
      list(FILTER named INCLUDE REGEX "^${CMAKE_MATCH_1}/[^/]+$")
    else()
      set(named ${entry})
    endif()
    foreach(one IN LISTS named)
      if(NOT one IN_LIST layer_folders)
        message(FATAL_ERROR "layers.txt: the row ${folder} names ${one}, which has no row")
      endif()
      string(REPLACE "/" "_" target jobq_${one})
      if(NOT one STREQUAL folder)
        list(APPEND links ${target})
      endif()
    endforeach()
  endforeach()
  list(REMOVE_DUPLICATES links)
  set(${result} ${links} PARENT_SCOPE)
endfunction()

# The sources of a folder, without those of folders below it that have a row of their own.
function(jobq_layer_sources folder result)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.cpp)
  foreach(other IN LISTS layer_folders)
    if(other MATCHES "^${folder}/")
      list(FILTER sources EXCLUDE REGEX "^${CMAKE_SOURCE_DIR}/${other}/")
    endif()
  endforeach()
  set(${result} ${sources} PARENT_SCOPE)
endfunction()

# Folders whose files are compiled together with JOBQ_UNITY, in a fifth of the time. None that every
# job goes through: g++ inlines less where more is in one unit (12 % more instructions a job with
# core/job and core/protocol among them).
set(jobq_joined core/config core/net core/profile core/store/doctor core/tls daemon/app daemon/chores
    daemon/http daemon/runner)

# jobq_join(<folder> <list of sources>): the list becomes one of files that include 16 of them each.
# CMake's own unity builds name the sources by absolute paths, so that ccache has nothing for another
# clone, and messages show where the sources were compiled.
function(jobq_join folder list)
  string(REPLACE "/" "_" name ${folder})
  set(joined "")
  list(LENGTH ${list} count)
  set(at 0)
  while(at LESS count)
    list(SUBLIST ${list} ${at} 16 some)
    set(text "// Compiled together: see jobq_join in core/folders.cmake.\n")
    foreach(source IN LISTS some)
      file(RELATIVE_PATH path ${CMAKE_SOURCE_DIR} ${source})
      string(APPEND text "#include \"${path}\"\n")
    endforeach()
    set(file ${CMAKE_BINARY_DIR}/generated/joined/${name}_${at}.cpp)
    file(CONFIGURE OUTPUT ${file} CONTENT "${text}" @ONLY)
    # What has no linkage outside its file may be a member of a coroutine's frame.
    set_source_files_properties(${file} PROPERTIES COMPILE_OPTIONS -Wno-subobject-linkage)
    list(APPEND joined ${file})
    math(EXPR at "${at} + 16")
  endwhile()
  set(${list} ${joined} PARENT_SCOPE)
endfunction()

# jobq_folders(<top> <name of all together>): the libraries of `top` and of all folders in it. All
# that are there: the empty ones are for rows that wait for their folder.
function(jobq_folders top all)
  add_library(${all} INTERFACE)
  foreach(folder IN LISTS layer_folders)
    if(NOT folder MATCHES "^${top}(/|$)")
      continue()
    endif()
    string(REPLACE "/" "_" target jobq_${folder})
    jobq_layer_links(${folder} links)
    jobq_layer_sources(${folder} sources)
    list(REMOVE_ITEM sources ${CMAKE_SOURCE_DIR}/${folder}/main.cpp)
    if(sources)
      if(JOBQ_UNITY AND folder IN_LIST jobq_joined)
        jobq_join(${folder} sources)
      endif()
      add_library(${target} STATIC ${sources})
      target_link_libraries(${target} PUBLIC jobq_flags ${links})
      target_precompile_headers(${target} REUSE_FROM jobq_pch)
      set_property(GLOBAL APPEND PROPERTY jobq_layers "${folder} $<TARGET_FILE:${target}>")
    else()
      add_library(${target} INTERFACE)
      target_link_libraries(${target} INTERFACE jobq_flags ${links})
    endif()
    target_link_libraries(${all} INTERFACE ${target})
  endforeach()
endfunction()

# jobq_uses(<folder> <library>...): what a folder needs from outside, for itself alone.
function(jobq_uses folder)
  string(REPLACE "/" "_" target jobq_${folder})
  get_target_property(type ${target} TYPE)
  if(type STREQUAL STATIC_LIBRARY)
    target_link_libraries(${target} PRIVATE ${ARGN})
  endif()
endfunction()

# For tests/tidy: each folder and its library.
function(jobq_write_layers)
  get_property(rows GLOBAL PROPERTY jobq_layers)
  list(JOIN rows "\n" text)
  file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/layers.list CONTENT "${text}\n")
endfunction()
