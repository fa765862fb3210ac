# What every target of the project shares: language level, warnings, defines, instruction set.

add_library(lodestone_options INTERFACE)
target_include_directories(lodestone_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(lodestone_options INTERFACE
    QT_NO_KEYWORDS QT_NO_CAST_FROM_ASCII QT_NO_CAST_TO_ASCII QT_USE_QSTRINGBUILDER QT_NO_FOREACH
    EIGEN_DONT_PARALLELIZE LODESTONE_VERSION="${PROJECT_VERSION}")
target_compile_options(lodestone_options INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-qual -Wundef)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # g++ 12 reports a false use-after-free inside <stop_token>, and false positives in Eigen's inlined kernels.
    target_compile_options(lodestone_options INTERFACE -Wno-use-after-free -Wno-maybe-uninitialized -Wno-array-bounds -Wno-stringop-overread -Wno-restrict)
endif()
if(LODESTONE_WERROR)
    target_compile_options(lodestone_options INTERFACE -Werror)
endif()
if(LODESTONE_SANITIZE)
    target_compile_options(lodestone_options INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
    target_link_options(lodestone_options INTERFACE -fsanitize=address,undefined)
endif()
if(LODESTONE_FUZZ) # counts branches for the fuzzers, which link no test
    target_compile_options(lodestone_options INTERFACE
        $<$<NOT:$<STREQUAL:$<TARGET_PROPERTY:SOURCE_DIR>,${CMAKE_SOURCE_DIR}/tests>>:-fsanitize=fuzzer-no-link>)
endif()
# One instruction set for every unit: Eigen's alignment depends on it, so a mixture is undefined behaviour.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64" AND NOT LODESTONE_BASELINE)
    target_compile_options(lodestone_options INTERFACE -march=x86-64-v3)
    target_compile_definitions(lodestone_options INTERFACE LODESTONE_X86_64_V3=1)
endif()

find_package(Threads REQUIRED)
find_package(Eigen3 REQUIRED NO_MODULE)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(PkgConfig REQUIRED)

# lodestone_library(core/base DEPENDS ... LINKS ...): the static library of one folder, named lodestone_base.
# A folder may use only the folders it DEPENDS on; the ctest `layers` holds the includes to the same arrows.
function(lodestone_library folder)
    cmake_parse_arguments(ARG "" "" "DEPENDS;LINKS;PRIVATE_LINKS" ${ARGN})
    string(REGEX REPLACE "^core/" "" name ${folder})
    string(REPLACE "/" "_" name ${name})
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.cpp ${CMAKE_SOURCE_DIR}/${folder}/*.h)
    if(NOT sources)
        add_library(lodestone_${name} INTERFACE)
        return()
    endif()
    add_library(lodestone_${name} STATIC ${sources})
    set_target_properties(lodestone_${name} PROPERTIES LINKER_LANGUAGE CXX)
    target_link_libraries(lodestone_${name} PUBLIC lodestone_options Threads::Threads ${ARG_LINKS} PRIVATE ${ARG_PRIVATE_LINKS})
    foreach(dependency ${ARG_DEPENDS})
        target_link_libraries(lodestone_${name} PUBLIC lodestone_${dependency})
    endforeach()
endfunction()
