/* pages: files that are built into the program, for browsers: the front serves them alone, whether
 * there is a core or not.
 *
 * A file of files/LISTENER/FOLDER/ is at /FOLDER/ of that listener. A page (.html) keeps its name;
 * of every other file the name has the first digits of its SHA-256, style.css becomes
 * style.0123456789abcdef.css, so that what is at an address never changes and browsers need not ask
 * again. tools/pages.py makes the table at build time. */
#ifndef OBHUT_PAGES_H
#define OBHUT_PAGES_H

#include <obhut/http.h>

typedef struct ob_page {
    uint32_t listeners;  /* bit l: ob_listener l */
    const char *name;    /* in the folder of a listener: "transparency/style.css" */
    const char *path;    /* where it is: "/transparency/style.0123456789abcdef.css" */
    const char *type;    /* of the bytes */
    const char *version; /* as ETag has it */
    bool is_immutable;   /* what is at `path` never changes */
    const void *bytes;
    size_t size;
} ob_page;

/* The row at a position; NULL: there is none. Rows live for ever, and so do their texts and bytes.
 */
const ob_page *ob_page_at(size_t index);

/* What a listener has at a path; NULL: nothing. */
const ob_page *ob_page_find(ob_listener listener, const char *path);

/* Where the file of that name is; never NULL: "/" where there is none. */
const char *ob_page_path(const char *name);

#endif
