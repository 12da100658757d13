/* Finds the word that a mistyped one is nearest to, by edit distance. */
#include <obhut/nearest.h>

#include <string.h>

enum { LONGEST = 40 };

static unsigned least_of(unsigned a, unsigned b, unsigned c)
{
    unsigned d = a < b ? a : b;
    return d < c ? d : c;
}

/* How many characters must be put in, taken out or changed. */
static unsigned edits(const char *a, const char *b)
{
    unsigned row[LONGEST + 1];
    size_t m = strlen(a), n = strlen(b);
    if (m > LONGEST || n > LONGEST)
        return LONGEST;
    for (size_t j = 0; j <= n; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= m; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= n; j++) {
            unsigned above = row[j];
            row[j] = least_of(row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[n];
}

const char *ob_nearest(const char *word, const char *const *known, size_t count)
{
    const char *nearest = NULL;
    unsigned least = (unsigned)(strlen(word) + 2) / 3 + 1;
    for (size_t i = 0; i < count; i++) {
        unsigned distance = edits(word, known[i]);
        if (distance < least) {
            least = distance;
            nearest = known[i];
        }
    }
    return nearest;
}
