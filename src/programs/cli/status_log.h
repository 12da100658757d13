/* What the log knows of an operator's habits. */
#ifndef OBHUT_CLI_STATUS_LOG_H
#define OBHUT_CLI_STATUS_LOG_H

#include <jansson.h>

/* Sets in `status` when the last backup was made and when the last checkpoint was given away
 * ("last_backup", "last_checkpoint_given"): an instant, or null where the log has none. */
void status_from_log(json_t *status, const char *data_dir);

#endif
