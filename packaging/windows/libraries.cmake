# The libraries of `dependencies` under the names that pkg-config gives them elsewhere.
# libmicrohttpd and libidn2 are not among them: http.sys and IdnToAscii do their work.
function(static_library name)
	cmake_parse_arguments(arg "" "FILE" "LINKS;DEFINES" ${ARGN})
	add_library(${name} STATIC IMPORTED GLOBAL)
	set_target_properties(${name} PROPERTIES
		IMPORTED_LOCATION ${CERTRENEWD_DEPENDENCIES}/lib/${arg_FILE}
		INTERFACE_INCLUDE_DIRECTORIES ${CERTRENEWD_DEPENDENCIES}/include
		INTERFACE_COMPILE_DEFINITIONS "${arg_DEFINES}"
		INTERFACE_LINK_LIBRARIES "${arg_LINKS}")
endfunction()

static_library(OpenSSL::Crypto FILE libcrypto.a LINKS ws2_32 crypt32 bcrypt advapi32 user32)
static_library(OpenSSL::SSL FILE libssl.a LINKS OpenSSL::Crypto)
static_library(PkgConfig::CURL FILE libcurl.a LINKS OpenSSL::SSL ws2_32 crypt32 bcrypt
	DEFINES CURL_STATICLIB)
static_library(PkgConfig::CJSON FILE libcjson.a)
static_library(PkgConfig::YAML FILE libyaml.a DEFINES YAML_DECLARE_STATIC)
static_library(PkgConfig::UV FILE libuv_a.a
	LINKS psapi user32 advapi32 iphlpapi userenv ws2_32 dbghelp ole32 shell32)
static_library(PkgConfig::CARES FILE libcares.a LINKS ws2_32 advapi32 iphlpapi
	DEFINES CARES_STATICLIB)
static_library(PkgConfig::CMOCKA FILE libcmocka-static.a DEFINES CMOCKA_STATIC)
