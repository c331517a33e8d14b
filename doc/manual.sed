# SPDX-License-Identifier: MIT
#
# What rst2man makes of "-s, --sort=KEY" lacks the space, and has the fonts in disorder. Values with a
# comma need brackets in its source.
s/\\fP,\\fB  *\\-/\\fP,\\fB\\ \\-/
/^\.BI/s/<\([A-Z,]*\)>/\1/
