# Sourced by app/run, tests/run and .ci/run: makes sure that the packages of app/packages.txt are there.

# packages_in FILE SECTION...: the packages of these sections, one a line.
packages_in() {
    local file=$1 line section=
    shift
    while IFS= read -r line || [[ $line ]]; do
        line=${line%%#*}
        line=${line//[[:space:]]/}
        case $line in
            '') ;;
            '['*']') section=${line:1:-1} ;;
            *) [[ " $* " == *" $section "* ]] && printf '%s\n' "$line" ;;
        esac
    done <"$file"
    return 0
}

# packages_missing NAME...: those of them that are not installed, one a line.
packages_missing() {
    dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
        awk -v wanted="$*" '$1 == "installed" { have[$2] = 1 }
            END { n = split(wanted, names, " "); for (i = 1; i <= n; i++) if (!(names[i] in have)) print names[i] }'
}

packages_apt_install() {
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends -o Acquire::Retries=3 \
        -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 "$@" </dev/null
}

# packages_ensure ROOT STAMP SECTION...: returns when the packages are there. As root it installs what is missing, otherwise
# it prints the one command that does and returns 1. STAMP remembers the list that was checked, so that dpkg is asked again
# only when the list or the installed packages changed.
packages_ensure() {
    local list=$1/app/packages.txt stamp=$2 log missing wanted seen command name
    shift 2
    [[ ${LODESTONE_SKIP_PACKAGES:-} ]] && return 0
    seen="$HOSTNAME $*
$(<"$list")"
    if [[ -e $stamp && ! /var/lib/dpkg/status -nt $stamp && $(<"$stamp") == "$seen" ]]; then
        return 0
    fi
    mapfile -t wanted < <(packages_in "$list" "$@")

    if ! grep -qs '^ID=debian$' /etc/os-release || ! grep -qs '^VERSION_ID="\?12"\?$' /etc/os-release; then
        # shellcheck source=/dev/null
        name=$(. /etc/os-release 2>/dev/null && printf '%s' "${PRETTY_NAME:-}")
        cat >&2 <<EOF
Lodestone is built and tested on Debian 12; this is ${name:-another system}.
It needs g++ 12, CMake 3.25, Ninja, pkg-config, Qt 6.4 (Widgets, Charts, OpenGLWidgets, Svg), libtorch 1.13, Eigen 3.4,
Spectra, Boost 1.74, nlohmann-json, CLI11, tl-expected, fmt, PCRE2, OpenSSL, xxHash, libzip, zlib, oneDNN, OpenBLAS and pip.
Under Debian these are the packages of app/packages.txt:
  ${wanted[*]}
When you have them, say so: LODESTONE_SKIP_PACKAGES=1 $0
EOF
        return 1
    fi

    mapfile -t missing < <(packages_missing "${wanted[@]}")
    if ((${#missing[@]})); then
        if ((EUID != 0)); then
            command="apt-get install --no-install-recommends ${missing[*]}"
            # A machine that never ran `apt-get update` knows none of the names.
            if ! apt-get install --simulate --no-install-recommends "${missing[@]}" >/dev/null 2>&1; then
                command="apt-get update && sudo $command"
            fi
            cat >&2 <<EOF
Lodestone needs ${#missing[@]} Debian packages that are not installed. This installs them (without sudo: the same as root):

  sudo $command

Then start this again.
EOF
            return 1
        fi
        mkdir -p "${stamp%/*}" || return 1
        log=$stamp.log
        printf 'Installing the Debian packages that are missing (%d; log: %s)\n' "${#missing[@]}" "$log" >&2
        # The package lists are fetched only when the ones at hand are absent or too old to install from.
        if ! packages_apt_install "${missing[@]}" >"$log" 2>&1; then
            # An unreachable repository of somebody else's must not stop this: whether it matters shows at the installation.
            if ! { apt-get update -q -o Acquire::Retries=3 </dev/null; packages_apt_install "${missing[@]}"; } >>"$log" 2>&1; then
                tail -n 20 "$log" >&2
                printf 'Installing these packages failed (above, the end of %s): %s\n' "$log" "${missing[*]}" >&2
                return 1
            fi
        fi
    fi
    # Without a stamp (a build folder of someone else) dpkg is asked again the next time, nothing worse.
    { mkdir -p "${stamp%/*}" && printf '%s\n' "$seen" >"$stamp"; } 2>/dev/null || true
}
