/* Any bytes as a key, a checkpoint or a proof. The first byte says which, and whether a checkpoint
 * is signed first: what stands behind the signature is what is tried. */
#include "audit_priv.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

typedef struct signer {
    ob_sign_key pair;
    log_key name;
    char line[OB_AUDIT_KEY + 1];
    ob_sha256_sum *sum;
} signer;

static const signer *get_signer(void)
{
    static signer s;
    const uint8_t seed[OB_KEY_SIZE] = {42};
    if (!s.sum) {
        if (ob_crypto_start(NULL) || ob_sha256_begin(&s.sum, NULL))
            abort();
        ob_sign_start(&s.pair, seed);
        if (key_of(&s.name, s.pair.public_key, NULL) || key_print(s.line, &s.name, NULL))
            abort();
    }
    return &s;
}

/* Appends `text` as a signed note of this log: its name before, its signature behind. */
static void sign(ob_buf *out, const signer *s, const char *text, size_t size)
{
    uint8_t coded[KEY_ID + OB_SIGNATURE_SIZE];
    size_t start = out->size;
    ob_buf_printf(out, NULL, "%s\n", s->name.name);
    ob_buf_append(out, text, size, NULL);
    memcpy(coded, s->name.id, KEY_ID);
    ob_sign(coded + KEY_ID, &s->pair, out->bytes + start, out->size - start);
    ob_buf_printf(out, NULL, "\n\xE2\x80\x94 %s ", s->name.name);
    ob_base64(out, coded, sizeof coded, NULL);
    ob_buf_append(out, "\n", 1, NULL);
}

static void read_key(const char *text, size_t size)
{
    log_key key;
    char again[OB_AUDIT_KEY + 1];
    if (key_parse(&key, text, size, NULL))
        return;
    if (key_print(again, &key, NULL) || memcmp(again, text, OB_AUDIT_KEY))
        abort(); /* there is one way to write a key */
}

static void read_note(const signer *s, const char *text, size_t size, note_kind kind)
{
    note note;
    size_t used = 0;
    tree_hash root;
    if (note_parse(&note, &used, text, size, &(note_rule){kind, &s->name, s->sum}, NULL))
        return;
    if (used > size || tree_root(&root, &note.frontier, s->sum, NULL) ||
        !tree_same(&root, &note.root))
        abort();
}

static void read_proof(const signer *s, const char *text, size_t size)
{
    ob_audit_proof proof = {0};
    if (ob_audit_check_proof(&proof, text, size, s->line, NULL))
        return;
    if (proof.kind == OB_AUDIT_INCLUDES ? proof.entry >= proof.size : proof.old_size > proof.size)
        abort();
    ob_buf_free(&proof.text);
}

/* A proof whose checkpoint is signed: what stands behind an empty line. */
static void read_signed_proof(const signer *s, const char *text, size_t size)
{
    ob_buf proof = {0};
    const char *empty = memmem(text, size, "\n\n", 2);
    size_t head = empty ? (size_t)(empty - text) + 2 : size;
    ob_buf_append(&proof, text, head, NULL);
    sign(&proof, s, text + head, size - head);
    read_proof(s, proof.bytes, proof.size);
    ob_buf_free(&proof);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const signer *s = get_signer();
    const char *text = (const char *)bytes + 1;
    ob_buf made = {0};
    if (!size--)
        return 0;
    switch (bytes[0] % 6) {
    case 0:
        read_key(text, size);
        break;
    case 1:
        read_note(s, text, size, NOTE_STORED);
        break;
    case 2:
        read_note(s, text, size, NOTE_ALONE);
        break;
    case 3:
        sign(&made, s, text, size);
        read_note(s, made.bytes, made.size, size % 2 ? NOTE_STORED : NOTE_ALONE);
        break;
    case 4:
        read_proof(s, text, size);
        break;
    default:
        read_signed_proof(s, text, size);
    }
    ob_buf_free(&made);
    return 0;
}
