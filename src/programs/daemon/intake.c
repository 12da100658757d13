#include "front.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- Keeping --------------------------------------------------------------------------------- */

/* Nothing of it is kept any more. */
static void forget(intake *in)
{
    in->let_go(in->context, in->size);
    in->size = 0;
    if (in->file >= 0)
        close(in->file);
    in->file = -1;
    if (in->bytes.bytes)
        explicit_bzero(in->bytes.bytes, in->bytes.size);
    ob_buf_free(&in->bytes);
}

static bool write_all(int file, const char *bytes, size_t size)
{
    while (size) {
        ssize_t written = write(file, bytes, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        bytes += written;
        size -= (size_t)written;
    }
    return true;
}

static void keep(intake *in, const char *bytes, size_t size)
{
    if (in->too_large || in->no_memory)
        return;
    if (size > in->most - in->size)
        in->too_large = true;
    else if (in->hold(in->context, size))
        in->size += size;
    else
        in->no_memory = true;
    if (!in->too_large && !in->no_memory)
        in->no_memory = !(in->to_file ? write_all(in->file, bytes, size)
                                      : !ob_buf_append(&in->bytes, bytes, size, NULL));
    if (in->too_large || in->no_memory)
        forget(in);
}

void intake_give_way(intake *in)
{
    in->no_memory = true;
    forget(in);
}

/* ---- Multipart: the one part with a file in it ----------------------------------------------- */

/* A part has a name for its file, or says of itself that it is no text. Browsers send a part
 * without bytes and with an empty name where nobody has chosen a file. */
static bool is_file(const char *filename, const char *type)
{
    return filename ? *filename != '\0' : type && strncasecmp(type, "text/", 5) != 0;
}

/* Other codings are of mail, and not taken away here. */
static bool is_coded(const char *encoding)
{
    return encoding && strcasecmp(encoding, "binary") && strcasecmp(encoding, "8bit") &&
           strcasecmp(encoding, "7bit") && strcasecmp(encoding, "identity");
}

/* What belongs in the query, and is not there, does nothing here. */
static bool is_missing_in_query(const intake *in, const char *key)
{
    return key && ob_command_item_has(key) &&
           !MHD_lookup_connection_value(in->connection, MHD_GET_ARGUMENT_KIND, key);
}

/* The library may call for the beginning of a part twice, first without a byte. */
static void begin_part(intake *in, const char *key, const char *filename, const char *type,
                       const char *encoding)
{
    in->in_part = is_file(filename, type);
    if (!in->in_part && is_missing_in_query(in, key))
        in->fault = "a field of the item is told in the query, not in a part of the body";
    else if (in->in_part && in->part_has_bytes)
        in->fault = "one file a request: what stands in a second one would be unseen";
    else if (in->in_part && is_coded(encoding))
        in->fault = "a file is taken as it is, without Content-Transfer-Encoding";
    in->part_seen |= in->in_part;
}

static enum MHD_Result on_part(void *context, enum MHD_ValueKind kind, const char *key,
                               const char *filename, const char *type, const char *encoding,
                               const char *bytes, uint64_t offset, size_t size)
{
    intake *in = context;
    (void)kind;
    if (in->fault)
        return MHD_YES;
    if (offset == 0)
        begin_part(in, key, filename, type, encoding);
    if (!in->in_part || in->fault)
        return MHD_YES;
    in->part_has_bytes |= size > 0;
    keep(in, bytes, size);
    return MHD_YES;
}

/* ---- Life ------------------------------------------------------------------------------------ */

bool intake_begin(intake *in, struct MHD_Connection *connection, bool to_file, uint64_t most,
                  const intake *like)
{
    enum { PART_BUFFER = 65536 };
    static const char multipart[] = "multipart/form-data";
    const char *type = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Type");
    *in = (intake){.wanted = true,
                   .to_file = to_file,
                   .file = -1,
                   .most = most,
                   .hold = like->hold,
                   .let_go = like->let_go,
                   .context = like->context,
                   .connection = connection};
    if (to_file) {
        in->file = memfd_create("obhut", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (in->file < 0)
            return false;
        in->multipart = type && !strncasecmp(type, multipart, sizeof multipart - 1);
    }
    if (in->multipart) {
        in->parts = MHD_create_post_processor(connection, PART_BUFFER, on_part, in);
        if (!in->parts) /* no boundary: it cannot be taken apart */
            in->part_seen = false;
    }
    return true;
}

void intake_drop(intake *in)
{
    if (!in->wanted)
        return;
    in->wanted = false;
    forget(in);
}

void intake_add(intake *in, char *piece, size_t size)
{
    if (in->wanted && in->parts)
        MHD_post_process(in->parts, piece, size);
    else if (in->wanted && !in->multipart)
        keep(in, piece, size);
    explicit_bzero(piece, size); /* of the library's own buffer, which the next piece reuses */
}

const char *intake_end(intake *in)
{
    bool whole = true;
    if (in->parts)
        whole = MHD_destroy_post_processor(in->parts) == MHD_YES;
    in->parts = NULL;
    if (!in->multipart || in->fault)
        return in->fault;
    return whole && in->part_seen ? NULL
                                  : "a multipart body with one file (a part with a filename) is "
                                    "wanted, whole";
}

void intake_free(intake *in)
{
    if (in->parts)
        MHD_destroy_post_processor(in->parts);
    in->parts = NULL;
    if (in->let_go)
        forget(in);
}
