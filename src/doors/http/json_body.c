/* Bodies of JSON: counted before anything is made of them. */
#include <obhut/http.h>

#include <string.h>

/* A request with a thousand situations or ten thousand members stays far below these; what a parser
 * makes of more would cost many times its bytes. */
enum { DEPTH_MOST = 16, MEMBERS_MOST = 256, VALUES_MOST = 65536 };

/* Behind the end of a string that begins at `at`. */
static size_t skip_string(const char *bytes, size_t size, size_t at)
{
    for (at++; at < size && bytes[at] != '"'; at++)
        at += bytes[at] == '\\';
    return at;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

ob_status ob_json_bounds(const char *bytes, size_t size, ob_error *err)
{
    uint32_t members[DEPTH_MOST + 1] = {0}, values = 1;
    unsigned depth = 0;
    bool opened = false; /* what was begun last is empty so far */
    for (size_t at = 0; at < size; at++) {
        const char c = bytes[at];
        if (opened && !is_space(c)) {
            values += c != '}' && c != ']';
            opened = false;
        }
        if (c == '"') {
            at = skip_string(bytes, size, at);
        } else if (c == '{' || c == '[') {
            if (++depth > DEPTH_MOST)
                return ob_fail(err, OB_ELIMIT, "the body is nested deeper than %d", DEPTH_MOST);
            members[depth] = 0;
            opened = true;
        } else if (c == '}' || c == ']') {
            depth -= depth > 0;
        } else if (c == ',') {
            values++;
        } else if (c == ':' && ++members[depth] > MEMBERS_MOST) {
            return ob_fail(err, OB_ELIMIT, "an object of the body has more than %d members",
                           MEMBERS_MOST);
        }
        if (values > VALUES_MOST)
            return ob_fail(err, OB_ELIMIT, "the body has more than %d values", VALUES_MOST);
    }
    return OB_OK;
}

json_t *ob_json_body(ob_body body, ob_error *err)
{
    json_error_t problem;
    if (ob_json_bounds(body.bytes, body.size, err))
        return NULL;
    json_t *json = json_loadb(body.bytes, body.size, JSON_REJECT_DUPLICATES, &problem);
    if (!json)
        ob_fail(err, OB_EFORMAT, "the body is no JSON: %s, at byte %d", problem.text,
                problem.position);
    return json;
}
