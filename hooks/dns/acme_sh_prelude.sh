# acme_sh_prelude.sh - what a dns_*.sh script of acme.sh expects to find around it.
#
#     sh -c "$THIS" certrenewd SCRIPT FUNCTION FULLDOMAIN VALUE
#
# reads SCRIPT and calls FUNCTION FULLDOMAIN VALUE. POSIX sh with openssl(1), curl(1) and
# the usual tools; written from the helpers' documented behaviour, not from acme.sh's code.
# What scripts save goes to $CERTRENEWD_SAVED.new, which the caller takes over. Secrets are
# handed to programs by standard input, never as arguments.
#
# Some functions have parameters that only scripts give:
# shellcheck disable=SC2119,SC2120

umask 077
LC_ALL=C
export LC_ALL

crd_dir=$(mktemp -d "${TMPDIR:-/tmp}/certrenewd-XXXXXX") || exit 1
trap 'rm -rf "$crd_dir"' EXIT
trap 'exit 1' HUP INT TERM
HTTP_HEADER=$crd_dir/header
: >"$HTTP_HEADER"
USER_AGENT=certrenewd
export PROJECT_NAME=certrenewd
_H1='' _H2='' _H3='' _H4='' _H5=''
export HTTP_HEADER USER_AGENT _H1 _H2 _H3 _H4 _H5

# ---- telling ---------------------------------------------------------------

crd_say() {
	if [ -n "$2" ]; then
		printf "%s='%s'\n" "$1" "$2"
	else
		printf '%s\n' "$1"
	fi
}

_info() { crd_say "$@"; }
_err() { crd_say "$@" >&2; return 1; }
_usage() { printf '%s\n' "$*" >&2; }
__green() { printf '%s' "$1"; }
__red() { printf '%s' "$1"; }
_debug() { :; }
_debug2() { :; }
_debug3() { :; }
_secure_debug() { :; }
_secure_debug2() { :; }
_secure_debug3() { :; }

# ---- text ------------------------------------------------------------------

_upper_case() { tr '[:lower:]' '[:upper:]'; }
_lower_case() { tr '[:upper:]' '[:lower:]'; }

# The second word is a regular expression in all three.
_startswith() { printf '%s\n' "$1" | grep -q -- "^$2"; }
_endswith() { printf '%s\n' "$1" | grep -q -- "$2\$"; }
_contains() { printf '%s\n' "$1" | grep -q -- "$2"; }

_egrep_o() { grep -E -o -- "$1"; }
_head_n() { head -n "$1"; }
_tail_n() { tail -n "$1"; }
_tail_c() { tail -c "$1"; }
_exists() { command -v "$1" >/dev/null 2>&1; }
_is_solaris() { return 1; }
_math() { printf '%s' "$(($*))"; }

_hasfield() {
	case "${3:-,}$1${3:-,}" in
	*"${3:-,}$2${3:-,}"*) return 0 ;;
	esac
	return 1
}

# The field of that number, or the last one that is not empty before it.
_getfield() {
	crd_n=$2
	while [ "$crd_n" -gt 0 ]; do
		crd_field=$(printf '%s\n' "$1" | cut -d "${3:-,}" -f "$crd_n")
		if [ -n "$crd_field" ]; then
			printf '%s' "$crd_field"
			return 0
		fi
		crd_n=$((crd_n - 1))
	done
	printf '%s' "$1"
}

_getfile() {
	awk -v from="$2" -v to="$3" \
		'index($0, to) && on { exit } on { print } index($0, from) { on = 1 }' "$1"
}

_sed_i() {
	sed "$1" "$2" >"$crd_dir/edited" && cat "$crd_dir/edited" >"$2"
}

_json_decode() { sed 's|\\/|/|g'; }
_json_encode() {
	sed -e 's/"/\\"/g' -e "s/$(printf '\r')/\\\\r/g" |
		awk 'NR > 1 { printf "%s", "\\n" } { printf "%s", $0 }'
}
_normalizeJson() {
	sed -e 's/" *: *\(["{[]\)/":\1/g' -e 's/^ *//' | tr -d '\r\n'
}

_is_idn() { printf '%s' "$1" | grep -q '[^a-zA-Z0-9.,*_-]'; }
_idn() {
	if ! _is_idn "$1"; then
		printf '%s' "$1"
	elif _exists idn; then
		idn --quiet "$1" | tr -d '\r\n'
	else
		_err "idn(1) is needed for the name '$1'"
	fi
}

# ---- bytes -----------------------------------------------------------------

# "abc" -> " 61 62 63"
_hex_dump() { od -A n -v -t x1 | tr -d '\n' | tr -s ' '; }
_ascii_hex() { printf '%s' "$1" | _hex_dump; }

# Numbers -> octal escapes for printf.
crd_escapes() { [ $# -eq 0 ] || printf '\\%03o' "$@"; }

_h2b() {
	crd_bytes=$(tr -d ' \r\n' | sed 's/../0x& /g')
	# shellcheck disable=SC2059,SC2086
	printf "$(crd_escapes $crd_bytes)"
}

_h_char_2_dec() { printf '%s' "$((0x$1))"; }

_url_encode() {
	crd_form='%%%02x'
	[ "$1" != upper-hex ] || crd_form='%%%02X'
	od -A n -v -t u1 | awk -v form="$crd_form" '{
		for (i = 1; i <= NF; i++) {
			c = sprintf("%c", $i + 0)
			if ($i + 0 < 128 && c ~ /^[A-Za-z0-9._~-]$/)
				printf "%s", c
			else
				printf form, $i + 0
		}
	}'
}

_base64() {
	if [ -n "$1" ]; then
		openssl base64 -e
	else
		openssl base64 -e | tr -d '\r\n'
	fi
}

_dbase64() {
	if [ -n "$1" ]; then
		openssl base64 -d
	else
		openssl base64 -d -A
	fi
}

_url_replace() { tr '/+' '_-' | tr -d '= '; }
_durl_replace_base64() {
	crd_text=$1
	while [ $((${#crd_text} % 4)) -ne 0 ]; do
		crd_text=$crd_text=
	done
	printf '%s\n' "$crd_text" | tr '_-' '/+'
}

crd_hash() {
	case $1 in
	md5 | sha1 | sha256 | sha384 | sha512 | sha3-256) openssl dgst "-$1" -binary ;;
	*) _err "the digest '$1' is not known here" ;;
	esac
}

crd_hex_or() {
	if [ -n "$1" ]; then
		_hex_dump | tr -d ' '
	else
		"$2"
	fi
}

# _digest ALGORITHM [hex]: base64 if not hex.
_digest() { crd_hash "$1" | crd_hex_or "$2" _base64; }

# _hmac ALGORITHM KEY-IN-HEX [hex]: the bytes if not hex. RFC 2104 by hand: openssl(1)
# would take the key as an argument, for everybody to see.
_hmac() {
	crd_key=$2 crd_inner='' crd_outer='' crd_block=64
	case $1 in
	sha384 | sha512) crd_block=128 ;;
	esac
	if [ ${#crd_key} -gt $((2 * crd_block)) ]; then
		crd_key=$(printf '%s' "$crd_key" | _h2b | crd_hash "$1" | crd_hex_or hex)
	fi
	crd_n=0
	while [ $crd_n -lt $crd_block ]; do
		crd_rest=${crd_key#??}
		crd_byte=$((0x0${crd_key%"$crd_rest"}))
		crd_inner="$crd_inner $((crd_byte ^ 0x36))"
		crd_outer="$crd_outer $((crd_byte ^ 0x5c))"
		[ -n "$crd_key" ] && crd_key=$crd_rest
		crd_n=$((crd_n + 1))
	done
	# shellcheck disable=SC2059,SC2086
	{
		printf "$(crd_escapes $crd_outer)"
		{ printf "$(crd_escapes $crd_inner)"; cat; } | crd_hash "$1"
	} | crd_hash "$1" | crd_hex_or "$3" cat
}

# _sign RSA-KEY-FILE ALGORITHM: base64.
_sign() { openssl dgst "-$2" -sign "$1" -binary | _base64; }

# ---- time, files -----------------------------------------------------------

_time() { date -u +%s; }
_utc_date() { date -u '+%Y-%m-%d %H:%M:%S'; }
_time2str() { date -u -d "@$1" +%Y-%m-%dT%H:%M:%SZ; }
_date2time() { date -u -d "$(printf '%s' "$1" | tr 'T' ' ' | tr -d 'Z')" +%s; }
_sleep() { sleep "$1"; }
_mktemp() { mktemp "$crd_dir/file-XXXXXX"; }

# ---- what is kept ----------------------------------------------------------

# One "NAME BASE64" a line.
crd_saved() {
	if [ -e "$CERTRENEWD_SAVED.new" ]; then
		cat "$CERTRENEWD_SAVED.new"
	elif [ -e "$CERTRENEWD_SAVED" ]; then
		cat "$CERTRENEWD_SAVED"
	fi
}

crd_read() {
	crd_saved | awk -v name="$1" '$1 == name { print $2 }' | _dbase64
}

# crd_save NAME VALUE: without a value it is forgotten.
crd_save() {
	{
		crd_saved | awk -v name="$1" '$1 != name'
		[ -z "$2" ] || printf '%s %s\n' "$1" "$(printf '%s' "$2" | _base64)"
	} >"$crd_dir/saved" && cat "$crd_dir/saved" >"$CERTRENEWD_SAVED.new"
}

_saveaccountconf() { crd_save "$1" "$2"; }
_readaccountconf() { crd_read "$1"; }
_clearaccountconf() { crd_save "$1" ''; }
_saveaccountconf_mutable() { crd_save "SAVED_$1" "$2" && crd_save "$1" ''; }
_readaccountconf_mutable() {
	crd_value=$(crd_read "SAVED_$1")
	[ -n "$crd_value" ] || crd_value=$(crd_read "$1")
	printf '%s' "$crd_value"
}
_clearaccountconf_mutable() { crd_save "SAVED_$1" '' && crd_save "$1" ''; }
_savedomainconf() { crd_save "$CERTRENEWD_DOMAIN/$1" "$2"; }
_readdomainconf() { crd_read "$CERTRENEWD_DOMAIN/$1"; }
_cleardomainconf() { crd_save "$CERTRENEWD_DOMAIN/$1" ''; }

# ---- the web ---------------------------------------------------------------

_inithttp() { :; }
_resethttp() { :; }

# name = "value" of a curl configuration.
crd_option() {
	printf '%s = "' "$1"
	printf '%s' "$2" |
		sed -e 's/[\\"]/\\&/g' -e "s/$(printf '\t')/\\\\t/g" \
			-e "s/$(printf '\r')/\\\\r/g" |
		awk 'NR > 1 { printf "%s", "\\n" } { printf "%s", $0 }'
	printf '"\n'
}

# crd_curl URL [MORE OPTIONS]: by a configuration on standard input, so that neither
# headers nor bodies are arguments. TLS is always verified.
crd_curl() {
	{
		printf 'silent\nshow-error\ngloboff\n'
		[ -n "$ACME_HTTP_NO_REDIRECTS" ] || printf 'location\nproto-redir = "=https"\n'
		crd_option dump-header "$HTTP_HEADER"
		crd_option user-agent "$USER_AGENT"
		[ -z "$CA_BUNDLE" ] || crd_option cacert "$CA_BUNDLE"
		for crd_header in "$_H1" "$_H2" "$_H3" "$_H4" "$_H5"; do
			[ -z "$crd_header" ] || crd_option header "$crd_header"
		done
		printf '%s\n' "$2"
		crd_option url "$1"
	} | curl --disable --config -
	crd_code=$?
	[ $crd_code -eq 0 ] || _err "curl failed with code $crd_code" || return $crd_code
}

# _get URL [onlyheader] [timeout]
_get() {
	crd_more=''
	[ -z "$2" ] || crd_more="head"
	[ -z "$3" ] || crd_more="$crd_more
$(crd_option connect-timeout "$3")"
	crd_curl "$1" "$crd_more"
}

# _post BODY URL [base64] [METHOD] [CONTENT-TYPE]
_post() {
	crd_more=$(
		crd_option request "${4:-POST}"
		[ "$4" != HEAD ] || echo head
		[ -z "$5" ] || crd_option header "Content-Type: $5"
		[ -z "$1" ] || crd_option data-raw "$1"
	)
	if [ -n "$3" ]; then
		crd_curl "$2" "$crd_more" | _base64
	else
		crd_curl "$2" "$crd_more"
	fi
}

# ---- the script ------------------------------------------------------------

# shellcheck disable=SC1090
. "$1"
"$2" "$3" "$4"
