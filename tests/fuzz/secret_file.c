/* Any bytes as a key file, of any mode: 32 bytes that are a key and that nobody else may read, or a
 * sentence that names the file, and nothing is changed. The first two bytes are the mode. */
#include "../unit/folder.h"

#include <obhut/crypto.h>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static char dir[TEST_FOLDER_SIZE], path[TEST_FOLDER_SIZE + 8];

static void clean_up(void)
{
    remove(path);
    remove(dir);
}

static void begin(void)
{
    if (*dir)
        return;
    if (ob_crypto_start(NULL) || !test_folder(dir))
        abort();
    snprintf(path, sizeof path, "%s/key", dir);
    atexit(clean_up);
}

static bool is_key(const uint8_t *bytes, size_t size)
{
    static const uint8_t zeros[OB_KEY_SIZE];
    return size == OB_KEY_SIZE && memcmp(bytes, zeros, OB_KEY_SIZE) != 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    uint8_t key[OB_KEY_SIZE], before[OB_KEY_SIZE];
    ob_error err = {0};
    begin();
    if (size < 2)
        return 0;
    const mode_t mode = (mode_t)(bytes[0] | bytes[1] << 8) & 0777;
    bytes += 2, size -= 2;
    memset(before, 0xA5, sizeof before);
    memcpy(key, before, sizeof key);
    remove(path);
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (file < 0 || write(file, bytes, size) != (ssize_t)size || fchmod(file, mode | 0400))
        abort();
    close(file);
    const bool fine = is_key(bytes, size) && !(mode & 077);
    const ob_status status = ob_key_file(key, path, &err);
    if (!status != fine || memcmp(key, fine ? bytes : before, sizeof key) != 0)
        abort();
    struct stat is;
    if (status && !strstr(err.text, path))
        abort();
    if (stat(path, &is) || (size_t)is.st_size != size)
        abort();
    return 0;
}
