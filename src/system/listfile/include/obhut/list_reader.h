/* list_reader: what publishers give away, in any of the shapes of docs/LISTS.md, as entries. */
#ifndef OBHUT_LIST_READER_H
#define OBHUT_LIST_READER_H

#include <obhut/list_entry.h>

typedef struct reader reader;

/* `file` is read from its current position; `label` names it in sentences. What is understood is
 * noted in `told`, which may be NULL. */
ob_status reader_new(reader **out, int file, const char *label, ob_import_type type,
                     ob_import_understood *told, ob_error *err);
void reader_free(reader *reader);

/* SHA-256 of the file, all of it: after the end. */
ob_status reader_finish(uint8_t out[OB_SHA256_SIZE], reader *reader, ob_error *err);

/* Sets *out to the next entry (valid until the next call) or *end; a withdrawn one may have an id
 * alone. What is no entry: OB_EFORMAT with file, line and reason; the next call goes on behind it,
 * or ends. Other errors are final. */
ob_status reader_next(entry *out, bool *end, reader *reader, ob_error *err);

uint64_t reader_bytes(const reader *reader);   /* of the file, read so far */
const char *reader_unit(const reader *reader); /* what entry.line counts: "line", "record" */

#endif
