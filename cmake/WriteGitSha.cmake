# cmake -DSOURCE=... -DTEMPLATE=... -DOUTPUT=... -P WriteGitSha.cmake
# Writes the commit that SOURCE is at into OUTPUT; "unknown" where SOURCE is no clone or git is absent.
set(git_sha "unknown")
# A tree unpacked inside some other repository must not take that one's commit.
if(EXISTS "${SOURCE}/.git")
  find_program(GIT_PROGRAM git)
  if(GIT_PROGRAM)
    # safe.directory: root may build a user's clone (sudo ./run); reading HEAD runs nothing of the repository's.
    execute_process(COMMAND "${GIT_PROGRAM}" -c "safe.directory=${SOURCE}" -C "${SOURCE}" rev-parse --verify HEAD
                    OUTPUT_VARIABLE head OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE status ERROR_QUIET)
    if(status EQUAL 0 AND head MATCHES "^[0-9a-f]+$")
      set(git_sha "${head}")
    endif()
  endif()
endif()
configure_file("${TEMPLATE}" "${OUTPUT}" @ONLY)
