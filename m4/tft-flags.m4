dnl TFT_FLAGS(VARIABLE, FLAGS): puts into VARIABLE those of FLAGS that the compiler knows.
AC_DEFUN([TFT_FLAGS], [
	$1=
	tft_saved_cflags="$CFLAGS"
	for tft_flag in $2; do
		CFLAGS="$tft_saved_cflags -Werror $tft_flag"
		AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])], [$1="$$1 $tft_flag"])
	done
	CFLAGS="$tft_saved_cflags"
])
