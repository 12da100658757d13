/* values.c looks at values, fields.c at requests that have them. */
#ifndef OBHUT_FIELDS_PRIV_H
#define OBHUT_FIELDS_PRIV_H

#include <obhut/commands.h>

/* Whether a JSON value is what the field takes; of lists only how many there are. */
bool fields_fit(const ob_command_field *f, const json_t *value);
/* Whether it is a text of so many bytes, without NUL. */
bool fields_is_text(const json_t *value, int64_t least, int64_t most);
/* The same of text in a path, a query or a head. */
bool fields_text_fits(const ob_command_field *f, const char *text);
/* Whether `text` is one of "a|b|c", and whether the field's words are such a set. */
bool fields_one_of(const char *words, const char *text);
bool fields_is_set(const ob_command_field *f);
/* "a number from 1 to 30": what the field takes. */
void fields_say(char *out, size_t size, const ob_command_field *f);

#endif
