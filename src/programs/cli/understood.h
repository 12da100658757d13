/* What an import understood of its file, for people. */
#ifndef OBHUT_CLI_UNDERSTOOD_H
#define OBHUT_CLI_UNDERSTOOD_H

#include <stdio.h>

#include <jansson.h>

/* How much of a list stands in which others: {"shared": {NAME: count}, "compared": how many of its
 * entries were looked for}. Nothing where none do. */
void understood_print_overlap(FILE *to, const json_t *of);

/* Prints what stands under "understood" of an import or update. */
void understood_print(FILE *to, const json_t *understood);

#endif
