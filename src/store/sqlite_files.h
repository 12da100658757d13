/* Which files sqlite.c works with. */
#ifndef OBHUT_STORE_SQLITE_FILES_H
#define OBHUT_STORE_SQLITE_FILES_H

/* What sqlite3_open_v2 is told, so that the files of the records are asked for as all others are
 * (obhut/file.h). Any thread. NULL, which is SQLite's own way unasked, where there is no memory. */
const char *sqlite_files(void);

#endif
