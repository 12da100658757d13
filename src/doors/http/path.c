/* Paths with parts that stand for something: "/v1/conversations/{id}/members". */
#include <obhut/http.h>

#include <string.h>

/* ---- Comparing ------------------------------------------------------------------------------- */

static bool has_one_part(const char *shape)
{
    const char *first = strchr(shape, '{');
    return first && !strchr(first + 1, '{');
}

/* Whether `shape` begins with "{NAME}". */
static bool is_called(const char *shape, const char *name)
{
    const size_t size = strlen(name);
    return !strncmp(shape + 1, name, size) && shape[1 + size] == '}';
}

/* What stands for the only part of a shape, with all slashes. */
static bool find_wide(const char **out, size_t *size, const char *shape, const char *path)
{
    const char *hole = strchr(shape, '{');
    const char *behind = hole + strcspn(hole, "}") + 1;
    const size_t before = (size_t)(hole - shape), after = strlen(behind), length = strlen(path);
    if (strncmp(shape, path, before) != 0 || length <= before + after ||
        strcmp(path + length - after, behind) != 0)
        return false;
    *out = path + before;
    *size = length - before - after;
    return true;
}

/* Whether a path has a shape; what stands for `{name}` is set where `name` is one of the shape. */
static bool find(const char **out, size_t *size, const char *shape, const char *path,
                 const char *name)
{
    while (*shape && *path) {
        if (*shape != '{') {
            if (*shape++ != *path++)
                return false;
            continue;
        }
        const size_t part = strcspn(path, "/");
        if (!part)
            return false;
        if (name && is_called(shape, name)) {
            *out = path;
            *size = part;
        }
        shape += strcspn(shape, "}") + 1;
        path += part;
    }
    return !*shape && !*path;
}

bool ob_path_is(const char *shape, const char *path, bool wide)
{
    const char *part;
    size_t size;
    return find(&part, &size, shape, path, NULL) ||
           (wide && has_one_part(shape) && find_wide(&part, &size, shape, path));
}

/* ---- Parts ----------------------------------------------------------------------------------- */

/* The two escapes that are left in a path. */
static char escaped(const char *text, size_t left)
{
    if (left < 3 || *text != '%' || text[1] != '2')
        return '\0';
    return text[2] == 'F' ? '/' : text[2] == '5' ? '%' : '\0';
}

static bool unescape(char *out, size_t room, const char *text, size_t size)
{
    size_t used = 0;
    for (size_t at = 0; at < size; at++) {
        const char c = escaped(text + at, size - at);
        if (used + 1 >= room)
            return false;
        out[used++] = c ? c : text[at];
        at += c ? 2 : 0;
    }
    out[used] = '\0';
    return true;
}

bool ob_path_part(char *out, size_t size, const char *shape, const char *path, const char *name)
{
    const char *part = NULL;
    size_t length = 0;
    bool fits = find(&part, &length, shape, path, name);
    if (!fits && has_one_part(shape) && is_called(strchr(shape, '{'), name))
        fits = find_wide(&part, &length, shape, path);
    if (fits && part && unescape(out, size, part, length))
        return true;
    *out = '\0';
    return false;
}
