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
#define WORDS(n, need, log, word, says) {.name = n, .kind = OB_FIELD_WORDS, .least = 1, .most = OB_FIELD_WORDS_MOST, .each = OB_FIELD_WORD_MOST, need, RULE(log), .words = word, .about = says}
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
/* Of services and the public: what stands in the query or a header, and the code of the problem
 * where it is wrong; or is the body; or stands in it. */
#define QUERY_TEXT(n, lo, hi, problem, log, says) {.name = n, .kind = OB_FIELD_TEXT, .least = lo, .most = hi, .where = OB_IN_QUERY, .code = problem, RULE(log), .about = says}
#define QUERY_WORD(n, need, problem, log, of, says) {.name = n, .kind = OB_FIELD_WORD, need, .where = OB_IN_QUERY, .code = problem, RULE(log), .words = of, .about = says}
#define QUERY_NUMBER(n, problem, log, says) {.name = n, .kind = OB_FIELD_NUMBER, .least = 1, .most = INT64_MAX, .where = OB_IN_QUERY, .code = problem, RULE(log), .about = says}
#define QUERY_RANGE(n, lo, hi, log, says) {.name = n, .kind = OB_FIELD_NUMBER, .least = lo, .most = hi, .where = OB_IN_QUERY, RULE(log), .about = says}
#define QUERY_TIME(n, log, says) {.name = n, .kind = OB_FIELD_TIME, .where = OB_IN_QUERY, RULE(log), .about = says}
#define QUERY_TRUTH(n, log, says) {.name = n, .kind = OB_FIELD_TRUTH, .where = OB_IN_QUERY, RULE(log), .about = says}
#define HEAD_TEXT(n, problem, log, says) {.name = n, .kind = OB_FIELD_TEXT, .least = 0, .most = 256, .where = OB_IN_HEAD, .code = problem, RULE(log), .about = says}
#define BODY_FILE(says) {.name = "file", .kind = OB_FIELD_FILE, .is_needed = true, .where = OB_IS_BODY, RULE(OB_LOGGED_NEVER), .about = says}
#define BODY_ANY(n, hi, says) {.name = n, .kind = OB_FIELD_ANY, .most = hi, .is_needed = true, .where = OB_IS_BODY, RULE(OB_LOGGED_NEVER), .about = says}
#define TEXTS(n, need, hi, bytes, log, says) {.name = n, .kind = OB_FIELD_WORDS, .least = 1, .most = hi, .each = bytes, need, RULE(log), .about = says}
#define OBJECTS(n, need, hi, log, of, says) {.name = n, .kind = OB_FIELD_LIST, .most = hi, need, .fields = of, RULE(log), .about = says}
#define OWN_WORD(n, need, log, says) {.name = n, .kind = OB_FIELD_TEXT, .least = 1, .most = 256, need, RULE(log), .about = says}
/* Of answers. */
#define GIVES(n, k, log, says) {.name = n, .kind = k, RULE(log), .about = says}

#define ANSWERS(...) .answers = &(const ob_command_answer){__VA_ARGS__}
#define FIELDS(...) (const ob_command_field[]) { __VA_ARGS__, {0} }
/* clang-format on */

#endif
