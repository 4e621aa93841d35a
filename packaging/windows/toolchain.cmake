# Builds for Windows x86-64 on Debian with mingw-w64, against the static libraries that
# `dependencies` beside this file makes (about six minutes the first time).
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR AMD64)
set(CMAKE_C_COMPILER x86_64-w64-mingw32-gcc)
set(CMAKE_RC_COMPILER x86_64-w64-mingw32-windres)
find_program(WINDMC x86_64-w64-mingw32-windmc)

execute_process(COMMAND ${CMAKE_CURRENT_LIST_DIR}/dependencies
	OUTPUT_VARIABLE dependencies OUTPUT_STRIP_TRAILING_WHITESPACE
	RESULT_VARIABLE failed)
if(failed)
	message(FATAL_ERROR "packaging/windows/dependencies failed: ${dependencies}")
endif()
set(CERTRENEWD_DEPENDENCIES ${dependencies})
set(CMAKE_FIND_ROOT_PATH ${dependencies})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
