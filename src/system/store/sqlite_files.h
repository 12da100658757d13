/* Which files sqlite.c works with. */
#ifndef OBHUT_STORE_SQLITE_FILES_H
#define OBHUT_STORE_SQLITE_FILES_H

/* What sqlite3_open_v2 is told, so that the files of the records are asked for as all others are
 * (obhut/file.h). Any thread. NULL: there is no memory. */
const char *sqlite_files(void);

/* Where this thread's files for a while are made: beside this one, whose name must live as long.
 * NULL: nowhere, and then SQLite cannot make any. */
void sqlite_files_beside(const char *path);

#endif
