/* entry: the members of a log entry, each with a name and a value. The code that logs builds an
 * entry; the code that reads the log takes one apart. */
#ifndef OBHUT_ENTRY_H
#define OBHUT_ENTRY_H

#include <obhut/base.h>

/* Never NULL once it is made. What could not be kept is remembered: the log then refuses the
 * entry with OB_ENOMEM, so that nobody has to ask in between. */
typedef struct ob_entry ob_entry;

/* Returns an entry without members, for the caller to free: ob_entry_free. Never NULL: where memory
 * runs out, the entry has failed (ob_entry_failed). */
ob_entry *ob_entry_new(void);
/* Frees an entry and everything in it. NULL is fine. */
void ob_entry_free(ob_entry *entry);
/* Says whether memory ran out, or a text was not UTF-8, while the entry was built. */
bool ob_entry_failed(const ob_entry *entry);

/* ---- Building -------------------------------------------------------------------------------- */

/* A member that is there already is replaced; members stand in the order in which they came. */

/* Adds a member with a number. */
void ob_entry_number(ob_entry *entry, const char *member, int64_t number);
/* Adds a member with a text. A text that is not UTF-8 makes the entry fail. */
void ob_entry_text(ob_entry *entry, const char *member, const char *text);
/* Adds a member with true or false. */
void ob_entry_yes(ob_entry *entry, const char *member, bool is_so);
/* Adds a member that has members itself; takes ownership of `inner`. */
void ob_entry_inner(ob_entry *entry, const char *member, ob_entry *inner);

/* Adds a member with an empty list. */
void ob_entry_list(ob_entry *entry, const char *member);
/* Appends a text to a list, which is added where there is none of that name. */
void ob_entry_list_text(ob_entry *entry, const char *member, const char *text);
/* Appends members to a list, which is added where there is none of that name; takes ownership of
 * `inner`. */
void ob_entry_list_inner(ob_entry *entry, const char *member, ob_entry *inner);

/* Copies those members of `from` whose names `entry` does not have. */
void ob_entry_fill(ob_entry *entry, const ob_entry *from);

/* ---- Reading --------------------------------------------------------------------------------- */

/* Reads an entry from a line's text, as ob_audit_read gives it. *out belongs to the caller
 * (ob_entry_free) and is untouched on error. OB_EFORMAT: the text has another form. */
ob_status ob_entry_read(ob_entry **out, const char *text, size_t size, ob_error *err);

/* Says whether there is a member of this name. An entry that is NULL has none. */
bool ob_entry_has(const ob_entry *entry, const char *member);
/* Returns the number of this name; 0 where there is none. */
int64_t ob_entry_get_number(const ob_entry *entry, const char *member);
/* Returns the text of this name; NULL where there is none. It belongs to the entry and lives until
 * the entry is changed. */
const char *ob_entry_get_text(const ob_entry *entry, const char *member);
/* Says whether the member of this name is true. */
bool ob_entry_is(const ob_entry *entry, const char *member);
/* Returns the number of elements in the list of this name; 0 where there is none. */
size_t ob_entry_list_size(const ob_entry *entry, const char *member);
/* Says whether the list of this name has this text. */
bool ob_entry_list_has(const ob_entry *entry, const char *member, const char *text);

#endif
