/* What persons say in words of their own. */
#include <obhut/policy.h>

#include <string.h>

ob_status ob_own_words(char out[OB_RECORD_TEXT + 1], const char *text, ob_error *err)
{
    if (!text || strspn(text, " \t\n") == strlen(text))
        return ob_fail(err, OB_EINVAL, "a reason is needed, in words");
    if (strlen(text) > OB_RECORD_TEXT)
        return ob_fail(err, OB_ELIMIT, "a reason has at most %d bytes", OB_RECORD_TEXT);
    memcpy(out, text, strlen(text) + 1);
    return OB_OK;
}
