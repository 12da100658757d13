/* list_reader: reads what publishers give away, in any of the shapes of docs/LISTS.md, as
 * entries. */
#ifndef OBHUT_LIST_READER_H
#define OBHUT_LIST_READER_H

#include <obhut/list_entry.h>

typedef struct reader reader;

/* Begins to read `file` at its current position; `label` names it in sentences. Notes in `told`,
 * which may be NULL, what was understood. The caller owns *out: reader_free. */
ob_status reader_new(reader **out, int file, const char *label, ob_import_type type,
                     ob_import_understood *understood, ob_error *err);
/* Frees a reader; `file` stays open. NULL is fine. */
void reader_free(reader *reader);

/* Sets *out to SHA-256 of the whole file. Call this after the end. */
ob_status reader_finish(uint8_t out[OB_SHA256_SIZE], reader *reader, ob_error *err);

/* Sets *out to the next entry (valid until the next call) or *end; a withdrawn one may have an id
 * alone. What is no entry: OB_EFORMAT with file, line and reason; the next call goes on behind it,
 * or ends. Other errors are final. */
ob_status reader_next(entry *out, bool *end, reader *reader, ob_error *err);

/* Returns how many bytes of the file were read so far. */
uint64_t reader_bytes(const reader *reader);
/* Returns what entry.line counts: "line" or "record". The text is a constant. */
const char *reader_unit(const reader *reader);

#endif
