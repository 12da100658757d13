/* Whether a configuration file has its end. */
#ifndef OBHUT_DAEMON_CONFIG_WHOLE_H
#define OBHUT_DAEMON_CONFIG_WHOLE_H

#include <obhut/base.h>

/* Finds what libconfuse takes in silence: a section whose closing brace is missing, and a comment
 * that does not end. OB_EFORMAT names the line where it begins; OB_EIO: it cannot be read. What
 * else is wrong with the text is found by who reads it. */
ob_status config_is_whole(const char *file, ob_error *err);

#endif
