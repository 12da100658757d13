/* How a row of the table of commands is written (rows.c). Every field says how the log may tell it:
 * without that it does not compile. */
#ifndef OBHUT_ROWS_H
#define OBHUT_ROWS_H

#include <obhut/commands.h>

/* clang-format off */
#define RULE(log) .logged = (ob_logged)((log) + 0 * sizeof(char[(log) > 0 ? 1 : -1]))
#define MAY  .is_needed = false
#define MUST .is_needed = true

/* In the order name, needed, …, rule for the log, what it is called in help, a sentence. */
#define TEXT(n, need, bytes, log, word, says) {.name = n, .kind = OB_FIELD_TEXT, .least = 1, .most = bytes, need, RULE(log), .words = word, .about = says}
#define WORD(n, need, log, of, says) {.name = n, .kind = OB_FIELD_WORD, need, RULE(log), .words = of, .about = says}
#define WORDS(n, need, log, word, says) {.name = n, .kind = OB_FIELD_WORDS, .least = 1, .most = OB_FIELD_WORDS_MOST, need, RULE(log), .words = word, .about = says}
#define NUMBER(n, need, lo, hi, log, says) {.name = n, .kind = OB_FIELD_NUMBER, .least = lo, .most = hi, need, RULE(log), .words = "N", .about = says}
#define TRUTH(n, log, says) {.name = n, .kind = OB_FIELD_TRUTH, RULE(log), .about = says}
#define TIME(n, need, log, says) {.name = n, .kind = OB_FIELD_TIME, need, RULE(log), .words = "TIME", .about = says}
#define OBJECT(n, log, says) {.name = n, .kind = OB_FIELD_OBJECT, .is_needed = true, .is_place = true, RULE(log), .words = "FILE.json", .about = says}
#define DOCUMENT(says) {.name = "document", .kind = OB_FIELD_DOCUMENT, .is_needed = true, RULE(OB_LOGGED_PLAIN), .words = "FILE", .about = says}
#define ACCOUNT(need, says) {.name = "account", .kind = OB_FIELD_TEXT, .least = 1, .most = 256, need, RULE(OB_LOGGED_ABOUT), .words = "NAME", .about = says}
#define REASON(need, log, says) {.name = "reason", .kind = OB_FIELD_TEXT, .least = 1, .most = 2000, need, RULE(log), .words = "TEXT", .about = says}
/* What stands without an option's name. */
#define PLACE(n, bytes, log, says) {.name = n, .kind = OB_FIELD_TEXT, .least = 1, .most = bytes, .is_needed = true, .is_place = true, RULE(log), .about = says}
#define ID(n, says) {.name = n, .kind = OB_FIELD_NUMBER, .least = 1, .most = INT64_MAX, .is_needed = true, .is_place = true, RULE(OB_LOGGED_PLAIN), .about = says}
/* Files, hashes, …: as many as there are. */
#define PLACES(n, need, says) {.name = n, .kind = OB_FIELD_PLACES, need, .is_place = true, .is_local = true, RULE(OB_LOGGED_NEVER), .about = says}
/* One of them. */
#define LOCAL_PLACE(n, need, word, says) {.name = n, .kind = OB_FIELD_TEXT, .least = 1, .most = 4096, need, .is_place = true, .is_local = true, RULE(OB_LOGGED_NEVER), .words = word, .about = says}
/* Options of the command line alone. */
#define LOCAL(n, need, word, says) {.name = n, .kind = OB_FIELD_TEXT, .least = 1, .most = 4096, need, .is_local = true, RULE(OB_LOGGED_NEVER), .words = word, .about = says}
#define LOCAL_NUMBER(n, lo, hi, says) {.name = n, .kind = OB_FIELD_NUMBER, .least = lo, .most = hi, .is_local = true, RULE(OB_LOGGED_NEVER), .words = "N", .about = says}
#define LOCAL_TRUTH(n, says) {.name = n, .kind = OB_FIELD_TRUTH, .is_local = true, RULE(OB_LOGGED_NEVER), .about = says}
/* Of answers. */
#define GIVES(n, k, log, says) {.name = n, .kind = k, RULE(log), .about = says}

#define FIELDS(...) (const ob_command_field[]) { __VA_ARGS__, {0} }
/* clang-format on */

#endif
