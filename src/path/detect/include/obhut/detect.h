/* detect: what detectors say of an item. A detector is one class in one file.
 *
 * A worker takes from the bytes what a class asks for; the class judges that, with lists or a
 * model, and gives signals. Each signal carries its explanation. */
#ifndef OBHUT_DETECT_H
#define OBHUT_DETECT_H

#include <obhut/base.h>
#include <obhut/hash.h>
#include <obhut/lists.h>
#include <obhut/media.h>
#include <obhut/permits.h>
#include <obhut/sandbox.h>

/* ---- Signals --------------------------------------------------------------------------------- */

/* Which of a picture's versions matched. */
typedef enum ob_version {
    OB_VERSION_STORED, /* as its pixels are stored */
    OB_VERSION_SHOWN,  /* as EXIF says that it is shown */
    OB_VERSION_TURNED, /* turned or mirrored otherwise */
} ob_version;

/* "stored", "shown", "turned". */
const char *ob_version_name(ob_version version);

/* What a detector says of an item. Detectors that reach the same entry of a list share a signal. */
typedef struct ob_signal {
    uint32_t detectors; /* bit d: detector d says so */
    float score;        /* 0 to 1: how sure; 1 for an entry of a list */

    /* ---- Its explanation ---- */
    bool has_entry;             /* an entry of a list: */
    ob_list_match entry;        /* list, entry, source, distance */
    const char *const *sources; /* everybody who lists that hash or digest, without repeats */
    size_t source_count;

    bool by_digest; /* a digest of the file is listed: */
    ob_list_digest digest;

    bool by_hash;            /* a hash of the file is near a listed one: */
    ob_dihedral orientation; /* how the file must be turned to become the listed one */
    ob_version version;
    ob_look look;   /* as what of it: colours as stored, or what is seen instead */
    uint32_t frame; /* whose hash it is */
    int quality;    /* of that frame */

    char words[OB_LIST_TEXT_MAX + 1]; /* without an entry: what was measured, and its bound */
} ob_signal;

/* All signals of one item: each entry once, nearest first; scores after entries, highest first. */
enum { OB_SIGNAL_PARTS = 8 };
typedef struct ob_signals {
    ob_signal *signal;
    size_t count, total; /* total: with those that a limit left out */
    size_t source_count; /* different sources among all entries; 2 stands for more, too */
    bool low_quality;    /* no frame has enough in it to be matched by hash */
    size_t room;         /* of `signal` */
    ob_list_matches part[OB_SIGNAL_PARTS]; /* what texts of entries belong to */
    unsigned part_count;
    const char **texts; /* of `sources` */
} ob_signals;

void ob_signals_free(ob_signals *signals); /* those of {0} too */

/* For classes: where the next look-up in lists goes. At most OB_SIGNAL_PARTS of one item. */
ob_list_matches *ob_signals_part(ob_signals *signals);

/* For classes: room for so many signals more, of which the caller fills in all; NULL with *err set
 * where there is no memory. */
ob_signal *ob_signals_more(ob_signals *signals, size_t count, ob_error *err);

/* ---- Queries --------------------------------------------------------------------------------- */

/* A hash or a digest that somebody asks for. */
typedef struct ob_query {
    bool is_digest;
    ob_list_digest kind;
    ob_hash256 hash;
    uint8_t digest[OB_LIST_DIGEST_MAX];
} ob_query;

enum { OB_QUERIES_MAX = 4096, OB_QUERIES_TOGETHER = 256 };

/* As people type it: 64 digits are a PDQ hash; "pdq:", "md5:", "sha1:", "sha256:" before the digits
 * say what they are. OB_EFORMAT. */
ob_status ob_query_parse(ob_query *out, const char *text, size_t length, ob_error *err);

/* What was found for queries: [0] of hashes, [1 + kind] of digests; `query` of a match is the place
 * among all queries. */
enum { OB_QUERY_KINDS = 1 + OB_LIST_DIGESTS };
typedef struct ob_query_matches {
    ob_list_matches of[OB_QUERY_KINDS];
} ob_query_matches;
/* Frees the matches of all kinds. {0} is fine. */
void ob_query_matches_free(ob_query_matches *matches);

/* Some of a task's queries: those from `from` on. */
typedef struct ob_query_part {
    const ob_query *queries; /* all of them */
    uint32_t from, count;    /* count: OB_QUERIES_TOGETHER at most */
    uint32_t limit;          /* matches of each */
} ob_query_part;

/* ---- Classes --------------------------------------------------------------------------------- */

/* What a detector judges with. */
typedef struct ob_judging {
    ob_lists *lists;
    unsigned distance;    /* at most so many bits of a hash differ */
    ob_detector detector; /* its own number, for its signals */
} ob_judging;

/* A detector. Functions run on any thread, several at once. */
typedef struct ob_detector_class {
    const char *name;   /* of data/detectors/NAME.json, which has its material, state and bound */
    uint32_t media;     /* bit m: it takes ob_media m */
    ob_extract extract; /* what a worker must take from the bytes */

    /* Adds its signals to *out. `of` is what the worker took; where it could not take it, there is
     * no signal. */
    ob_status (*judge)(ob_signals *out, const ob_judging *with, const ob_job_result *of,
                       ob_error *err);

    /* Whether queries like this are its own, and looks up those of a part that are. NULL: it has no
     * queries. */
    bool (*owns)(const ob_query *query);
    ob_status (*look_up)(ob_query_matches *out, const ob_judging *with, const ob_query_part *part,
                         ob_error *err);
} ob_detector_class;

enum { OB_EVERY_MEDIA = (1 << OB_MEDIA_COUNT) - 1 };

/* Classes of a program, by the numbers of their detectors. */
typedef struct ob_detectors {
    const ob_detector_class *of[OB_DETECTORS_MOST]; /* NULL: this program has none */
} ob_detectors;

/* Those that every program has, and `count` more. OB_EINVAL: a class has no file in data/detectors,
 * a file has no class, or two have one name. */
ob_status ob_detectors_make(ob_detectors *out, const ob_detector_class *const *more, size_t count,
                            ob_error *err);

/* Appends their table, as docs/DETECTORS.md has it. */
ob_status ob_detectors_table(ob_buf *out, const ob_detectors *all, ob_error *err);

/* Detectors (bit d: detector d) that take this media. */
uint32_t ob_detectors_for(const ob_detectors *all, ob_media media);

/* Detectors whose own these queries are. */
uint32_t ob_detectors_of_queries(const ob_detectors *all, const ob_query *queries, uint32_t count);

/* What a worker must take for them: sets wants[e] to those that need e. */
void ob_detectors_want(uint32_t wants[OB_EXTRACTS], const ob_detectors *all, uint32_t detectors);

/* All signals of a file, by the detectors that its permit was for. *out is set on success: the
 * caller frees it with ob_signals_free. OB_EREFUSED without a permit that still holds; OB_EIO:
 * nothing was found, and a list could not be searched; else errors as ob_lists_match. */
ob_status ob_detect(ob_signals *out, const ob_detectors *all, const ob_judging *with,
                    const ob_job_result *of, ob_grant *grant, ob_error *err);

/* Looks up a part of queries by these detectors; those of others find nothing. Where it fails,
 * *out is freed all the same by ob_query_matches_free. */
ob_status ob_detect_queries(ob_query_matches *out, const ob_detectors *all, const ob_judging *with,
                            const ob_query_part *part, uint32_t detectors, ob_error *err);

/* ---- Sources --------------------------------------------------------------------------------- */

/* Whether one publisher lists both: names are compared without case and outer blanks, and entries
 * that name nobody are all of one unknown source, whatever their lists are called. */
bool ob_match_same_source(const ob_list_match *a, const ob_list_match *b);

/* Everybody who lists what `of` is, as far as `all` matches of its query say, its own first: one of
 * each publisher, and "" for all entries that name nobody. `by_digest`: all are of one content.
 * Texts are the matches'. Returns how many; further ones are left out. */
enum { OB_MATCH_SOURCES = 16 };
/* Sets out[] to the sources of the entry `of` among `all` matches of its query, its own first: each
 * publisher once, and "" for all entries without a source. `by_digest`: all matches have the same
 * content. The texts are the matches'. Returns how many; sources beyond OB_MATCH_SOURCES are left
 * out. */
size_t ob_match_sources(const char *out[OB_MATCH_SOURCES], const ob_list_match *of,
                        const ob_list_match *all, size_t count, bool by_digest);

#endif
