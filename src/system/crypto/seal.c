/* Sealed streams: writing and reading. */
#include <obhut/seal.h>

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#define STREAM_KEY crypto_secretstream_xchacha20poly1305_KEYBYTES
#define MORE       crypto_secretstream_xchacha20poly1305_ABYTES

/* Little-endian, as all machines that this runs on. */
typedef struct head {
    uint8_t magic[8];
    uint32_t version, piece;
    uint8_t for_whom[8];
    uint8_t sealed_key[STREAM_KEY + crypto_box_SEALBYTES];
    uint8_t stream[crypto_secretstream_xchacha20poly1305_HEADERBYTES];
} head;
_Static_assert(sizeof(head) == OB_SEAL_HEAD, "as documented");

static void name_key(uint8_t out[8], const ob_seal_public *key)
{
    uint8_t sum[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(sum, key->bytes, sizeof key->bytes);
    memcpy(out, sum, 8);
}

/* ---- Writing --------------------------------------------------------------------------------- */

struct ob_seal_writer {
    ob_seal_put put;
    void *context;
    crypto_secretstream_xchacha20poly1305_state state;
    head head;
    bool first;
    size_t used;
    uint8_t plain[OB_SEAL_PIECE], sealed[OB_SEAL_PIECE + MORE];
};

ob_status ob_seal_begin(ob_seal_writer **out, const ob_seal_kind *kind, const ob_seal_public *to,
                        ob_seal_put put, void *context, ob_error *err)
{
    uint8_t key[STREAM_KEY];
    ob_status status = OB_OK;
    ob_seal_writer *w = malloc(sizeof *w);
    if (!w)
        return ob_fail(err, OB_ENOMEM, "out of memory: a %s", kind->name);
    w->put = put;
    w->context = context;
    w->first = true;
    w->used = 0;
    w->head = (head){.version = kind->version, .piece = OB_SEAL_PIECE};
    memcpy(w->head.magic, kind->magic, sizeof w->head.magic);
    name_key(w->head.for_whom, to);
    crypto_secretstream_xchacha20poly1305_keygen(key);
    /* Fails for points of small order only: keys that nobody has made. */
    if (crypto_box_seal(w->head.sealed_key, key, sizeof key, to->bytes) ||
        crypto_secretstream_xchacha20poly1305_init_push(&w->state, w->head.stream, key))
        status = ob_fail(err, OB_EINVAL, "nothing can be sealed to this key");
    sodium_memzero(key, sizeof key);
    if (!status)
        status = put(context, &w->head, sizeof w->head, err);
    if (status)
        ob_seal_drop(w);
    else
        *out = w;
    return status;
}

static ob_status push(ob_seal_writer *w, uint8_t tag, ob_error *err)
{
    unsigned long long size = 0;
    crypto_secretstream_xchacha20poly1305_push(&w->state, w->sealed, &size, w->plain, w->used,
                                               (const uint8_t *)&w->head,
                                               w->first ? sizeof w->head : 0, tag);
    w->first = false;
    w->used = 0;
    return w->put(w->context, w->sealed, (size_t)size, err);
}

/* A full piece waits until more comes: the last one is pushed as such. */
ob_status ob_seal_add(ob_seal_writer *w, const void *bytes, size_t size, ob_error *err)
{
    const uint8_t *from = bytes;
    ob_status status = OB_OK;
    while (size && !status) {
        if (w->used == OB_SEAL_PIECE)
            status = push(w, crypto_secretstream_xchacha20poly1305_TAG_MESSAGE, err);
        size_t now = size < OB_SEAL_PIECE - w->used ? size : OB_SEAL_PIECE - w->used;
        memcpy(w->plain + w->used, from, now);
        w->used += now;
        from += now;
        size -= now;
    }
    return status;
}

ob_status ob_seal_finish(ob_seal_writer *w, ob_error *err)
{
    return push(w, crypto_secretstream_xchacha20poly1305_TAG_FINAL, err);
}

void ob_seal_drop(ob_seal_writer *w)
{
    if (!w)
        return;
    sodium_memzero(&w->state, sizeof w->state);
    sodium_memzero(w->plain, sizeof w->plain);
    free(w);
}

/* ---- Reading --------------------------------------------------------------------------------- */

struct ob_seal_reader {
    const char *name;
    ob_seal_get get;
    void *context;
    crypto_secretstream_xchacha20poly1305_state state;
    head head;
    bool first, ended;
    ob_status broken; /* damaged once, damaged for ever */
    size_t used, size;
    uint8_t plain[OB_SEAL_PIECE], sealed[OB_SEAL_PIECE + MORE];
};

/* As much as there is, up to `size`. */
static ob_status get_all(size_t *got, ob_seal_reader *r, void *bytes, size_t size, ob_error *err)
{
    ob_status status = OB_OK;
    size_t now = 1;
    for (*got = 0; *got < size && now && !status; *got += now) {
        now = 0;
        status = r->get(r->context, (uint8_t *)bytes + *got, size - *got, &now, err);
    }
    return status;
}

static ob_status check_head(ob_seal_reader *r, const ob_seal_kind *kind, size_t got,
                            const ob_seal_public *own, ob_error *err)
{
    uint8_t who[8];
    if (got < sizeof r->head.magic || memcmp(r->head.magic, kind->magic, sizeof r->head.magic))
        return ob_fail(err, OB_EFORMAT, "this is not a %s", kind->name);
    if (got >= 12 && r->head.version > kind->version)
        return ob_fail(
            err, OB_EREFUSED,
            "made by a newer version of Obhut (form %u, this one reads %u): use that one",
            (unsigned)r->head.version, (unsigned)kind->version);
    if (got < sizeof r->head)
        return ob_fail(err, OB_EFORMAT, "the %s is cut off", kind->name);
    if (r->head.version != kind->version || r->head.piece != OB_SEAL_PIECE)
        return ob_fail(err, OB_EFORMAT, "the %s is damaged: its head makes no sense", kind->name);
    name_key(who, own);
    if (memcmp(who, r->head.for_whom, sizeof who))
        return ob_fail(err, OB_EREFUSED, "the %s was made for another key than this one",
                       kind->name);
    return OB_OK;
}

static ob_status open_key(ob_seal_reader *r, const ob_seal_public *own,
                          const ob_seal_secret *secret, ob_error *err)
{
    uint8_t key[STREAM_KEY];
    bool opened = !crypto_box_seal_open(key, r->head.sealed_key, sizeof r->head.sealed_key,
                                        own->bytes, secret->bytes) &&
                  !crypto_secretstream_xchacha20poly1305_init_pull(&r->state, r->head.stream, key);
    sodium_memzero(key, sizeof key);
    return opened
               ? OB_OK
               : ob_fail(err, OB_EFORMAT, "the %s is damaged: its key cannot be opened", r->name);
}

ob_status ob_unseal_begin(ob_seal_reader **out, const ob_seal_kind *kind,
                          const ob_seal_secret *secret, ob_seal_get get, void *context,
                          ob_error *err)
{
    ob_seal_public own;
    size_t got = 0;
    ob_seal_reader *r = malloc(sizeof *r);
    if (!r)
        return ob_fail(err, OB_ENOMEM, "out of memory: a %s", kind->name);
    r->name = kind->name;
    r->get = get;
    r->context = context;
    r->first = true;
    r->ended = false;
    r->broken = OB_OK;
    r->used = r->size = 0;
    ob_seal_public_of(&own, secret);
    ob_status status = get_all(&got, r, &r->head, sizeof r->head, err);
    if (!status)
        status = check_head(r, kind, got, &own, err);
    if (!status)
        status = open_key(r, &own, secret, err);
    if (status)
        ob_unseal_drop(r);
    else
        *out = r;
    return status;
}

/* Whether nothing follows the last piece. */
static ob_status check_end(ob_seal_reader *r, ob_error *err)
{
    size_t more = 0;
    ob_status status = r->get(r->context, r->sealed, 1, &more, err);
    if (!status && more)
        status = ob_fail(err, OB_EFORMAT, "the %s is damaged: something follows its end", r->name);
    r->ended = !status;
    return status;
}

static ob_status pull(ob_seal_reader *r, ob_error *err)
{
    size_t got = 0;
    unsigned long long size = 0;
    uint8_t tag = 0;
    ob_status status = get_all(&got, r, r->sealed, sizeof r->sealed, err);
    if (status)
        return status;
    if (got < MORE)
        return ob_fail(err, OB_EFORMAT, "the %s is cut off", r->name);
    if (crypto_secretstream_xchacha20poly1305_pull(&r->state, r->plain, &size, &tag, r->sealed, got,
                                                   (const uint8_t *)&r->head,
                                                   r->first ? sizeof r->head : 0))
        return ob_fail(err, OB_EFORMAT, "the %s is %s", r->name,
                       got < sizeof r->sealed ? "damaged or cut off" : "damaged");
    r->first = false;
    r->used = 0;
    r->size = (size_t)size;
    if (tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL)
        return check_end(r, err);
    return tag || !size
               ? ob_fail(err, OB_EFORMAT, "the %s is damaged: an impossible piece", r->name)
               : OB_OK;
}

ob_status ob_unseal_read(void *reader, void *bytes, size_t capacity, size_t *size, ob_error *err)
{
    ob_seal_reader *r = reader;
    if (r->broken)
        return ob_fail(err, r->broken, "the %s is damaged or cut off", r->name);
    if (r->used == r->size && !r->ended && capacity)
        r->broken = pull(r, err);
    if (r->broken) {
        r->size = r->used = 0;
        return r->broken;
    }
    *size = r->size - r->used < capacity ? r->size - r->used : capacity;
    memcpy(bytes, r->plain + r->used, *size);
    r->used += *size;
    return OB_OK;
}

void ob_unseal_drop(ob_seal_reader *r)
{
    if (!r)
        return;
    sodium_memzero(&r->state, sizeof r->state);
    sodium_memzero(r->plain, sizeof r->plain);
    free(r);
}
