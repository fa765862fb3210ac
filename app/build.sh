# Sourced by app/run and tests/run: configures and builds one preset quietly, with its whole output in build/PRESET/build.log.
set -o pipefail

# build_jobs: as many compilers as there are processors, fewer when memory (2 GB for each) would run out.
build_jobs() {
    local processors kilobytes
    processors=$(nproc)
    kilobytes=$(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo 2>/dev/null)
    if [[ $kilobytes ]] && ((kilobytes / 2000000 < processors)); then
        processors=$((kilobytes / 2000000))
    fi
    printf '%s\n' "$((processors > 1 ? processors : 1))"
}

# Whether this processor has what -march=x86-64-v3 assumes.
build_has_v3() {
    local flag flags
    [[ $(uname -m) == x86_64 && -r /proc/cpuinfo ]] || return 0
    flags=" $(grep -m1 '^flags' /proc/cpuinfo) "
    for flag in avx2 bmi1 bmi2 f16c fma abm movbe; do
        [[ $flags == *" $flag "* ]] || return 1
    done
}

# build_follow LOG TITLE: copies standard input to LOG; on a terminal shows one line of progress once it takes over 2 s.
build_follow() {
    local line shown='' began=$SECONDS
    while IFS= read -r line; do
        printf '%s\n' "$line"
        if [[ -t 2 ]] && ((SECONDS - began >= 2)); then
            [[ $line =~ ^(\[[0-9]+/[0-9]+\]) ]] && printf '\r\e[K%s %s' "$2" "${BASH_REMATCH[1]}" >&2
            shown=1
        elif ((SECONDS - began >= 2)) && [[ ! $shown ]]; then
            printf '%s (log: %s)\n' "$2" "$1" >&2
            shown=1
        fi
    done >>"$1"
    [[ $shown && -t 2 ]] && printf '\r\e[K' >&2
    return 0
}

# build_preset ROOT PRESET TITLE [TARGET...]: 0 when build/PRESET is up to date afterwards; else shows the end of the log.
build_preset() {
    local root=$1 preset=$2 title=$3 folder=$1/build/$2 log=$1/build/$2/build.log home baseline=OFF targets=()
    shift 3
    (($#)) && targets=(--target "$@")
    if ! { mkdir -p "$folder" && : >"$log"; } 2>/dev/null; then
        printf 'Cannot write to %s, where Lodestone is built. Work in a copy of the sources that is yours.\n' "$folder" >&2
        return 1
    fi
    # A copied or moved checkout brings a cache that belongs to another folder.
    home=$(build_cached "$folder" CMAKE_HOME_DIRECTORY)
    if [[ $home && ! $home -ef $root ]]; then
        rm -rf "$folder/CMakeCache.txt" "$folder/CMakeFiles" "$folder/build.ninja"
    fi
    if [[ ${LODESTONE_BASELINE:-} ]] || ! build_has_v3; then
        baseline=ON
    fi
    if ! build_steps 2>&1 | build_follow "$log" "$title"; then
        tail -n 40 "$log" >&2
        printf 'The build failed; above are the last lines of %s\n' "$log" >&2
        return 1
    fi
}

# The steps of build_preset, whose variables it uses.
build_steps() {
    cd "$root" || return 1
    if [[ ! -e $folder/build.ninja || $(build_cached "$folder" LODESTONE_BASELINE) != "$baseline" ]]; then
        # A build.ninja of a configuration that failed half-way must not be taken for a good one.
        cmake --preset "$preset" -DLODESTONE_BASELINE="$baseline" || { rm -f "$folder/build.ninja"; return 1; }
    fi
    NINJA_STATUS='[%f/%t] ' cmake --build "$folder" -j "$(build_jobs)" "${targets[@]}"
}

# build_cached FOLDER NAME: a value that CMake remembers.
build_cached() {
    sed -n "s/^$2:[A-Z]*=//p" "$1/CMakeCache.txt" 2>/dev/null
}
