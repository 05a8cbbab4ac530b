dnl TFT_WARNINGS(FLAGS): puts into WARN_CFLAGS those of FLAGS that the compiler knows.
AC_DEFUN([TFT_WARNINGS], [
	WARN_CFLAGS=
	tft_saved_cflags="$CFLAGS"
	for tft_flag in $1; do
		CFLAGS="$tft_saved_cflags -Werror $tft_flag"
		AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])], [WARN_CFLAGS="$WARN_CFLAGS $tft_flag"])
	done
	CFLAGS="$tft_saved_cflags"
])
