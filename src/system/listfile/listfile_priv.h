/* The parts of listfile: dir.c knows paths, the lock and how a file is replaced, disk.c how bytes
 * get to the disk; read.c turns what publishers write into entries (read_priv.h names its parts),
 * entries.c gathers them; obx.c and obx_write.c know the file format, mapping.c guards a file that
 * is read; journal.c and journal_read.c keep what was added and withdrawn since, state.c what there
 * must be. */
#ifndef OBHUT_LISTFILE_PRIV_H
#define OBHUT_LISTFILE_PRIV_H

#include <obhut/list_dir.h>
#include <obhut/list_entry.h>
#include <obhut/list_journal.h>
#include <obhut/list_reader.h>
#include <obhut/list_state.h>
#include <obhut/obx.h>

/* ---- dir.c ----------------------------------------------------------------------------------- */

/* DIR/NAME; *out, the caller's to free, is NULL where there is no memory. */
ob_status list_beside(char **out, const char *dir, const char *name, ob_error *err);

/* ---- disk.c ---------------------------------------------------------------------------------- */

/* `path` is for the sentences. */
ob_status disk_write(int file, const char *path, const void *bytes, uint64_t size, uint64_t at,
                     ob_error *err);
ob_status disk_cut(int file, const char *path, uint64_t size, ob_error *err);
ob_status disk_sync(int file, const char *path, ob_error *err);

/* ---- mapping.c: a file in memory ------------------------------------------------------------- */

/* Reads `size` bytes of an open file into memory of our own. OB_ENOMEM: there is not so much to
 * spare; OB_EIO. `path` serves the sentences. */
ob_status mapping_copy(mapping **out, int file, uint64_t size, const char *path, ob_error *err);

/* Maps them. Where the file is cut later, or its disk fails, zeros are read and the mapping is
 * broken; so it is where somebody writes into the file. The caller closes `file` in any case. */
ob_status mapping_open(mapping **out, int file, uint64_t size, const char *path, ob_error *err);
void mapping_close(mapping *mapping); /* NULL is fine */

const uint8_t *mapping_bytes(const mapping *mapping);

/* The same bytes, never hidden: for who checks them. */
const uint8_t *mapping_source(const mapping *mapping);

/* Hides what lies between OBX_ALIGN and `end` until it is read: then its blocks are compared with
 * `sums`, which lie behind. The mapping is broken where these differ; who reads looks at that
 * afterwards. Before anybody else has the mapping. False: it could not be done. */
bool mapping_hide(mapping *mapping, const uint8_t *sums, uint64_t end);

/* Makes all of the memory readable, after everything was checked. */
void mapping_show(mapping *mapping);

/* OB_EIO or OB_EFORMAT with the reason where it is broken, else OB_OK. */
ob_status mapping_problem(mapping *mapping, ob_error *err);

/* ---- record.c -------------------------------------------------------------------------------- */

/* An entry from an object as journals have them, whose texts it uses. */
struct json_t;
ob_status entry_from_json(entry *out, const struct json_t *object, ob_error *err);

/* ---- state.c --------------------------------------------------------------------------------- */

/* state_load of its text; `path` serves the sentence. */
ob_status state_take(lists_state *out, const char *text, size_t size, const char *path,
                     ob_error *err);

#endif
