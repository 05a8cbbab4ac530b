dnl TFT_LIBRARY(PREFIX, MODULE, PACKAGE): PREFIX_CFLAGS and PREFIX_LIBS from pkg-config, or an error that names the package.
AC_DEFUN([TFT_LIBRARY], [PKG_CHECK_MODULES([$1], [$2], [],
	[AC_MSG_ERROR([$2 (Debian 12 and 13: $3) is missing])])])
