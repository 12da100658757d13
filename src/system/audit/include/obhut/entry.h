/* entry: what an entry of the log says beside its word: members, each with a name. Whoever logs
 * builds one; whoever reads the log takes one apart. */
#ifndef OBHUT_ENTRY_H
#define OBHUT_ENTRY_H

#include <obhut/base.h>

/* Never NULL once it is made. What could not be kept is remembered: the log then refuses the
 * entry with OB_ENOMEM, so that nobody has to ask in between. */
typedef struct ob_entry ob_entry;

/* Owned by the caller: ob_entry_free. */
ob_entry *ob_entry_new(void);
void ob_entry_free(ob_entry *entry); /* NULL is fine */
/* Whether something could not be kept. */
bool ob_entry_failed(const ob_entry *entry);

/* ---- Building -----------------------------------------------------------------------------------
 * A member that is there already is replaced; members stand in the order in which they came. */

void ob_entry_number(ob_entry *entry, const char *member, int64_t number);
void ob_entry_text(ob_entry *entry, const char *member, const char *text); /* UTF-8, or it fails */
void ob_entry_yes(ob_entry *entry, const char *member, bool is_so);
/* Members of its own; takes `inner`. */
void ob_entry_inner(ob_entry *entry, const char *member, ob_entry *inner);

/* A list, empty at first. */
void ob_entry_list(ob_entry *entry, const char *member);
/* One more in a list, which is made where there is none. */
void ob_entry_list_text(ob_entry *entry, const char *member, const char *text);
void ob_entry_list_inner(ob_entry *entry, const char *member, ob_entry *inner); /* takes it */

/* Copies what `entry` does not say yet. */
void ob_entry_fill(ob_entry *entry, const ob_entry *from);

/* ---- Reading ----------------------------------------------------------------------------------
 */

/* Of a line's text, as ob_audit_read gives it. OB_EFORMAT: it says nothing of this form. *out is
 * owned by the caller, and untouched on error. */
ob_status ob_entry_read(ob_entry **out, const char *text, size_t size, ob_error *err);

/* An entry that is NULL says nothing. */

bool ob_entry_has(const ob_entry *entry, const char *member);
/* 0 where there is no number of that name. */
int64_t ob_entry_get_number(const ob_entry *entry, const char *member);
/* NULL where there is no text of that name; as long as the entry is not changed. */
const char *ob_entry_get_text(const ob_entry *entry, const char *member);
/* False where there is no yes of that name. */
bool ob_entry_is(const ob_entry *entry, const char *member);
/* 0 where there is no list of that name. */
size_t ob_entry_list_size(const ob_entry *entry, const char *member);
bool ob_entry_list_has(const ob_entry *entry, const char *member, const char *text);

#endif
