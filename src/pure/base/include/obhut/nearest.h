/* Which known word somebody probably meant. */
#ifndef OBHUT_NEAREST_H
#define OBHUT_NEAREST_H

#include <stddef.h>

/* The one of `count` known words that is made from `word` with the fewest changes of characters, or
 * NULL where none is near: where more than a third of the word would have to change. Words of more
 * than 40 characters are near to none. */
const char *ob_nearest(const char *word, const char *const *known, size_t count);

#endif
