# common.sh - what scripts/test and scripts/demo share: packages and builds. Sourced with
# `top` set to the project's folder.

export DEBIAN_FRONTEND=noninteractive PYTHONDONTWRITEBYTECODE=1 LC_ALL=C.UTF-8
unset CC CFLAGS CPPFLAGS LDFLAGS CMAKE_GENERATOR

build_packages=(gcc libc6-dev cmake ninja-build pkg-config ccache libssl-dev
	libcurl4-openssl-dev libcjson-dev libyaml-dev libuv1-dev libmicrohttpd-dev libidn2-dev
	libsystemd-dev libc-ares-dev)
demo_packages=(pebble openssl curl python3 python3-cryptography python3-yaml)
# certrenewd.exe and its installer: the compiler, what apt-get source needs, wixl. Then Wine.
windows_packages=(gcc-mingw-w64-x86-64-posix mingw-w64-tools make perl dpkg-dev
	debian-archive-keyring binutils wixl msitools)
wine_packages=(iproute2 wine64 wine libgnutls30)
test_packages=("${demo_packages[@]}" libcmocka-dev libunwind-dev clang-format
	clang-tidy python3-pytest python3-pytest-xdist python3-pytest-timeout
	systemd-container debootstrap procps strace uacme bind9)

say() { printf '%s\n' "$*" >&2; }

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

apt_quietly() { # apt_quietly WORDS...: its output only when it fails
	local log
	log=$(mktemp)
	if ! as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y \
		-o DPkg::Lock::Timeout=300 "$@" >"$log" 2>&1 </dev/null; then
		tail -n 20 "$log" >&2
		rm -f "$log"
		return 1
	fi
	rm -f "$log"
}

install_missing() { # install_missing PACKAGE...: those that are not there yet
	local package missing=()
	for package in "$@"; do
		dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' ||
			missing+=("$package")
	done
	[ ${#missing[@]} = 0 ] && return 0
	say "installing ${missing[*]} ..."
	# One foreign list that cannot be fetched is no reason to stop.
	apt_quietly update || say "(apt-get update complained; going on)"
	apt_quietly install --no-install-recommends "${missing[@]}"
}

configure() { # configure PRESET: again from nothing when an old folder is in the way
	cmake --preset "$1" && return
	rm -rf "$top/build/$1"
	cmake --preset "$1"
}

build() { # build PRESET [TARGET...]: one at a time in one folder
	local preset=$1
	shift
	mkdir -p "$top/build"
	(
		cd "$top" && flock 9 && configure "$preset" &&
			cmake --build --preset "$preset" ${1:+--target} "$@" 9>&-
	) 9>"$top/build/lock"
}
