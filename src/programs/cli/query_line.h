/* Lines of standard input that ask for hashes: hashes as people type them, what `obhut hash`
 * prints, with and without --json, "pdq HASH", lines of md5sum. */
#ifndef OBHUT_CLI_QUERY_LINE_H
#define OBHUT_CLI_QUERY_LINE_H

#include <obhut/base.h>

/* Calls `each` with what ob_query_parse reads, once for each hash; a line without one as it is. */
ob_status query_line(const char *line, size_t length,
                     ob_status (*each)(void *context, const char *query, size_t length,
                                       ob_error *err),
                     void *context, ob_error *err);

#endif
