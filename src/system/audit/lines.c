/* `log`, read line by line in bounded memory, also while it grows. */
#include "audit_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

/* ---- Streams --------------------------------------------------------------------------------- */

ob_status stream_open(stream *out, int dir, const char *name, size_t piece, ob_error *err)
{
    stream s = {.dir = dir, .file = -1, .name = name, .capacity = piece};
    ob_status status = file_open(&s.file, dir, name, O_RDONLY, err);
    if (!status)
        status = file_size(&s.end, s.file, name, err);
    s.buffer = status ? NULL : malloc(piece);
    if (!status && !s.buffer)
        status = ob_fail(err, OB_ENOMEM, "out of memory: reading %s", name);
    if (status)
        stream_close(&s);
    else
        *out = s;
    return status;
}

void stream_close(stream *s)
{
    if (s->file >= 0)
        close(s->file);
    free(s->buffer);
    *s = (stream){.file = -1};
}

void stream_seek(stream *s, uint64_t offset)
{
    s->at = offset;
    s->start = s->filled = 0;
}

ob_status stream_fill(size_t *got, stream *s, size_t want, ob_error *err)
{
    size_t there = s->filled - s->start;
    uint64_t left = s->end > s->at + there ? s->end - s->at - there : 0;
    if (there >= want || !left) {
        *got = there;
        return OB_OK;
    }
    memmove(s->buffer, s->buffer + s->start, there);
    s->start = 0;
    s->filled = there;
    size_t room = s->capacity - there, more = left < room ? (size_t)left : room;
    ob_status status = file_read(s->buffer + there, s->file, s->name, s->at + there, more, err);
    if (status)
        return status;
    s->filled += more;
    *got = s->filled;
    return OB_OK;
}

void stream_take(stream *s, size_t bytes)
{
    s->start += bytes;
    s->at += bytes;
}

/* The process that writes has the directory's lock. */
static bool somebody_writes(int dir)
{
    if (!flock(dir, LOCK_SH | LOCK_NB)) {
        flock(dir, LOCK_UN);
        return false;
    }
    return errno == EWOULDBLOCK;
}

ob_status stream_wait(bool *more, stream *s, ob_error *err)
{
    const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
    uint64_t size = s->end;
    ob_status status = file_size(&size, s->file, s->name, err);
    for (int tries = 0; tries < 50 && !status && size == s->end && somebody_writes(s->dir);
         tries++) {
        nanosleep(&pause, NULL);
        status = file_size(&size, s->file, s->name, err);
    }
    *more = !status && size != s->end;
    /* Shorter: what could not be written was cut back. */
    s->end = size;
    if (s->at + (s->filled - s->start) > size)
        stream_seek(s, s->at);
    return status;
}

/* ---- Lines ----------------------------------------------------------------------------------- */

ob_status lines_open(stream *out, int dir, ob_error *err)
{
    return stream_open(out, dir, "log", 16 * LINE_MAX, err);
}

ob_status lines_next(lines_found *found, const char **bytes, size_t *size, stream *s, ob_error *err)
{
    for (;;) {
        size_t had = s->filled - s->start, got = had;
        const char *text = s->buffer + s->start;
        const char *newline = had ? memchr(text, '\n', had) : NULL;
        bool more = false;
        if (newline) {
            *bytes = text;
            *size = (size_t)(newline - text);
            *found = LINES_LINE;
            stream_take(s, *size + 1);
            return OB_OK;
        }
        ob_status status = stream_fill(&got, s, had + 1, err);
        if (!status && got > had)
            continue;
        *found = got > LINE_MAX ? LINES_LONG : got ? LINES_TORN : LINES_END;
        if (!status && *found == LINES_TORN)
            status = stream_wait(&more, s, err);
        if (status || !more)
            return status;
    }
}

/* The number of the first line that begins at or behind `offset`, and where that is. False where
 * there is none that can be read. */
static bool probe(uint64_t *entry, uint64_t *at, stream *s, uint64_t offset)
{
    lines_found found = LINES_END;
    const char *bytes;
    size_t size, bad;
    line line;
    stream_seek(s, offset ? offset - 1 : 0);
    if (offset && (lines_next(&found, &bytes, &size, s, NULL) || found != LINES_LINE))
        return false;
    *at = s->at;
    if (lines_next(&found, &bytes, &size, s, NULL) || found != LINES_LINE ||
        line_head(&line, &bad, bytes, size, NULL) || line_entry(&line, &bad, NULL))
        return false;
    *entry = line.number;
    return true;
}

/* Numbers ascend, and so a line is found by halving. Where the log is damaged that may lead astray:
 * then all lines are counted. */
ob_status lines_seek(stream *s, uint64_t entry, ob_error *err)
{
    uint64_t low = 0, high = s->end, found = 0, at = 0;
    size_t piece = s->capacity;
    s->capacity = 2 * LINE_MAX; /* a probe needs no more */
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (probe(&found, &at, s, middle) && found <= entry)
            low = middle + 1;
        else
            high = middle;
    }
    /* low - 1 is the largest offset from which one gets to a line that is not behind `entry`. */
    bool there = low && probe(&found, &at, s, low - 1) && found == entry;
    s->capacity = piece;
    stream_seek(s, there ? at : 0);
    for (uint64_t n = 0; !there && n < entry; n++) {
        lines_found what = LINES_END;
        const char *bytes;
        size_t size;
        ob_status status = lines_next(&what, &bytes, &size, s, err);
        if (status || what != LINES_LINE)
            return status;
    }
    return OB_OK;
}
