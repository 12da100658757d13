/* Matches as JSON, the same in every command. */
#ifndef OBHUT_CLI_MATCHES_H
#define OBHUT_CLI_MATCHES_H

#include "cli.h"

#include <obhut/lists.h>

/* {list, entry, pdq, distance}, and source and classification where the list has them. */
json_t *matches_json(const ob_list_match *match);

#endif
