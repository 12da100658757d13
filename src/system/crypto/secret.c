/* Random numbers, keys and MACs. */
#include <obhut/crypto.h>
#include <obhut/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

ob_status ob_crypto_start(ob_error *err)
{
    return sodium_init() < 0 ? ob_fail(err, OB_EREFUSED, "this machine has no random numbers")
                             : OB_OK;
}

void ob_random(void *out, size_t size)
{
    randombytes_buf(out, size);
}

bool ob_same(const void *a, const void *b, size_t size)
{
    return sodium_memcmp(a, b, size) == 0;
}

void ob_wipe(void *bytes, size_t size)
{
    sodium_memzero(bytes, size);
}

void ob_mac(uint8_t out[OB_MAC_SIZE], const uint8_t key[OB_KEY_SIZE], const char *what,
            const void *bytes, size_t size)
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, key, OB_KEY_SIZE, OB_MAC_SIZE);
    crypto_generichash_update(&state, (const unsigned char *)what, strlen(what) + 1);
    crypto_generichash_update(&state, bytes, size);
    crypto_generichash_final(&state, out, OB_MAC_SIZE);
    sodium_memzero(&state, sizeof state);
}

/* ---- Key files ------------------------------------------------------------------------------- */

static ob_status read_key(uint8_t out[OB_KEY_SIZE], int file, const char *path, ob_error *err)
{
    static const uint8_t zeros[OB_KEY_SIZE];
    uint8_t more;
    const ssize_t got = ob_file_read(file, out, OB_KEY_SIZE);
    const ssize_t beyond = got < 0 ? got : ob_file_read(file, &more, 1);
    if (beyond < 0)
        return ob_fail(err, OB_EIO, "%s: cannot be read: %s", path, strerror(errno));
    if (got != OB_KEY_SIZE || beyond)
        return ob_fail(err, OB_EFORMAT, "%s: not a key of %d bytes", path, OB_KEY_SIZE);
    if (!memcmp(out, zeros, sizeof zeros))
        return ob_fail(err, OB_EFORMAT, "%s: only zeros, which is no key: restore it from a backup",
                       path);
    return OB_OK;
}

ob_status ob_key_file_read(uint8_t out[OB_KEY_SIZE], const char *path, ob_error *err)
{
    int file = -1;
    uint8_t key[OB_KEY_SIZE];
    const ob_file_rule rule = {.most = 65536, .forbidden = 0077};
    ob_status status = ob_file_open_regular(&file, NULL, path, O_RDONLY, &rule, err);
    if (status)
        return status;
    status = read_key(key, file, path, err);
    close(file);
    if (!status)
        memcpy(out, key, sizeof key);
    ob_wipe(key, sizeof key);
    return status;
}

static int open_directory_of(const char *path)
{
    char directory[4096];
    const char *end = strrchr(path, '/');
    snprintf(directory, sizeof directory, "%.*s", end ? (int)(end - path) + 1 : 1,
             end ? path : ".");
    return ob_file_open(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
}

static ob_status cannot_write(const char *path, ob_error *err)
{
    return ob_fail(err, OB_EIO, "%s: cannot be written: %s", path, strerror(errno));
}

static ob_status write_key(const uint8_t key[OB_KEY_SIZE], const char *new_path, int directory,
                           const char *path, ob_error *err)
{
    int file = ob_file_open(AT_FDCWD, new_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0)
        return cannot_write(path, err);
    ob_status status = ob_file_give(file, new_path, directory, ".", err);
    if (!status && (ob_file_write(file, key, OB_KEY_SIZE) != OB_KEY_SIZE || ob_file_sync(file)))
        status = cannot_write(path, err);
    close(file);
    return status;
}

/* Complete and durable before it has its name, so that no half a key is ever found; and its name is
 * durable too: what was made with a key must not outlive it. */
static ob_status make_key(uint8_t out[OB_KEY_SIZE], const char *path, ob_error *err)
{
    char new_path[4096];
    if (snprintf(new_path, sizeof new_path, "%s.new", path) >= (int)sizeof new_path)
        return ob_fail(err, OB_EINVAL, "%s: the path is too long", path);
    int directory = open_directory_of(path);
    if (directory < 0)
        return cannot_write(path, err);
    ob_file_unlink(AT_FDCWD, new_path, 0);
    ob_random(out, OB_KEY_SIZE);
    ob_status status = write_key(out, new_path, directory, path, err);
    if (!status && ob_file_rename(new_path, path))
        status = cannot_write(path, err);
    else if (!status && ob_file_sync(directory)) {
        status = cannot_write(path, err);
        ob_file_unlink(AT_FDCWD, path, 0); /* nothing has been made with it yet */
    }
    if (status)
        ob_file_unlink(AT_FDCWD, new_path, 0);
    close(directory);
    return status;
}

ob_status ob_key_file(uint8_t out[OB_KEY_SIZE], const char *path, ob_error *err)
{
    ob_error problem = {0};
    ob_status status = ob_key_file_read(out, path, &problem);
    if (status == OB_ENOTFOUND)
        return make_key(out, path, err);
    return status ? ob_fail(err, status, "%s", problem.text) : OB_OK;
}

/* ---- Secrets --------------------------------------------------------------------------------- */

void ob_secret_make(char out[OB_SECRET_TEXT + 1])
{
    uint8_t bytes[OB_KEY_SIZE];
    ob_random(bytes, sizeof bytes);
    sodium_bin2base64(out, OB_SECRET_TEXT + 1, bytes, sizeof bytes,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(bytes, sizeof bytes);
}

void ob_secret_fingerprint(uint8_t out[OB_MAC_SIZE], const char *secret, size_t length)
{
    crypto_hash_sha256(out, (const unsigned char *)secret, length);
}
