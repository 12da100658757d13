/* Names that a list's file uses, counted: columns, states, kinds. */
#include "read_priv.h"

#include <string.h>

/* Cut where it is too long, at the border of a character. */
static size_t fitting_length(const char *text)
{
    size_t length = strnlen(text, OB_IMPORT_NAME_MAX + 1);
    if (length <= OB_IMPORT_NAME_MAX)
        return length;
    length = OB_IMPORT_NAME_MAX;
    while (length && ((unsigned char)text[length] & 0xC0) == 0x80)
        length--;
    return length;
}

static bool is_at(const ob_import_names *names, size_t at, const char *text, size_t length)
{
    return at < names->count && !strncmp(names->name[at].text, text, length) &&
           !names->name[at].text[length];
}

bool names_note(size_t *at, ob_import_names *names, const char *text)
{
    const size_t length = fitting_length(text);
    size_t i = *at;
    if (!is_at(names, i, text, length))
        for (i = 0; i < names->count && !is_at(names, i, text, length);)
            i++;
    const bool new = i == names->count;
    *at = i < OB_IMPORT_NAMES_MAX ? i : SIZE_MAX;
    if (new &&i == OB_IMPORT_NAMES_MAX) {
        names->more++;
        return true;
    }
    if (new) {
        memcpy(names->name[i].text, text, length);
        if (list_check_text(names->name[i].text, OB_IMPORT_NAME_MAX, "", NULL))
            names->name[i] = (ob_import_name){.text = "?"};
        names->count++;
    }
    names->name[i].count++;
    return new;
}
