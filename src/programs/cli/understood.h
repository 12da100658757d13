/* What an import understood of its file, for people. */
#ifndef OBHUT_CLI_UNDERSTOOD_H
#define OBHUT_CLI_UNDERSTOOD_H

#include <stdio.h>

#include <jansson.h>

/* Prints what stands under "understood" of an import or update. */
void understood_print(FILE *to, const json_t *understood);

#endif
