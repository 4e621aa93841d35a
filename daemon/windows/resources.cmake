# What stands in the .exe beside its code: the Event Log's texts, version, manifest.
# Makes daemon/windows/messages.h below GENERATED, for event_log.c.
set(GENERATED ${PROJECT_BINARY_DIR}/generated)
set(resources ${GENERATED}/daemon/windows)
file(MAKE_DIRECTORY ${resources})
configure_file(${CMAKE_CURRENT_LIST_DIR}/certrenewd.rc ${resources}/certrenewd.rc @ONLY)
configure_file(${CMAKE_CURRENT_LIST_DIR}/certrenewd.manifest ${resources}/certrenewd.manifest
	@ONLY)
add_custom_command(
	OUTPUT ${resources}/messages.h ${resources}/messages.rc
	COMMAND ${WINDMC} -h ${resources} -r ${resources} ${CMAKE_CURRENT_LIST_DIR}/messages.mc
	DEPENDS ${CMAKE_CURRENT_LIST_DIR}/messages.mc
	VERBATIM)
add_custom_target(messages DEPENDS ${resources}/messages.h ${resources}/messages.rc)
add_custom_command(
	OUTPUT ${resources}/certrenewd.res.o
	COMMAND ${CMAKE_RC_COMPILER} -I ${resources} -o ${resources}/certrenewd.res.o
		${resources}/certrenewd.rc
	DEPENDS ${resources}/messages.rc ${resources}/certrenewd.rc ${resources}/certrenewd.manifest
	VERBATIM)
