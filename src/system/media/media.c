/* From what a decoder delivers to the hashes of a file: all that differ enough from each other. */
#include "media_priv.h"

#include <string.h>

/* Hashes so near to one that is kept are left out, the bits tried one after the other where there
 * is no more room: what is listed at a distance of up to 31 is still found by the last of them. */
static const unsigned near_bits[] = {8, 12, 16, 20, 24, 28};
enum { NEAR_STEPS = sizeof near_bits / sizeof *near_bits };

typedef struct hashing {
    const ob_media_options *options;
    const media_facts *facts;
    media_looks *looks; /* of the frame that is being delivered */
    bool has_first, undecided;
    unsigned near; /* place in near_bits */
    bool overflowed;
    ob_media_result result;
} hashing;

/* ---- Which hashes are kept --------------------------------------------------------------------
 */

static bool is_near(const ob_pdq *a, const ob_pdq *b, unsigned bits)
{
    return a->quality >= OB_PDQ_MIN_QUALITY &&
           ob_hash256_distance(&a->hash[0], &b->hash[0]) <= bits;
}

/* Whether one of the first `count`, or the stored one, is as good. */
static bool is_known(const ob_media_result *r, unsigned count, const ob_pdq *pdq, unsigned bits)
{
    if (is_near(&r->pdq, pdq, bits))
        return true;
    for (unsigned i = 0; i < count; i++)
        if (is_near(&r->more[i].pdq, pdq, bits))
            return true;
    return false;
}

static void thin_out(ob_media_result *r, unsigned bits)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < r->more_count; i++)
        if (!is_known(r, kept, &r->more[i].pdq, bits))
            r->more[kept++] = r->more[i];
    r->more_count = kept;
}

/* What has too little in it to be matched takes no place. */
static void keep(hashing *h, const ob_media_frame *frame)
{
    ob_media_result *r = &h->result;
    if (frame->pdq.quality < OB_PDQ_MIN_QUALITY)
        return;
    while (!is_known(r, r->more_count, &frame->pdq, near_bits[h->near])) {
        if (r->more_count < OB_MEDIA_HASHES - 1) {
            r->more[r->more_count++] = *frame;
            return;
        }
        if (h->near + 1 == NEAR_STEPS) {
            h->overflowed = true;
            return;
        }
        thin_out(r, near_bits[++h->near]);
    }
}

/* The frame that was being delivered is complete, if there was one. */
static ob_status finish_frame(hashing *h, ob_media_fault *fault)
{
    if (!h->looks)
        return OB_OK;
    ob_media_frame looks[OB_LOOKS];
    unsigned count = 0, first = 0;
    ob_status status = media_looks_finish(looks, &count, h->looks, fault);
    h->undecided |= media_looks_are_undecided(h->looks);
    media_looks_free(h->looks);
    h->looks = NULL;
    if (status)
        return status;
    if (!h->has_first) {
        h->has_first = true;
        h->result.pdq = looks[0].pdq;
        h->result.shown = looks[0].shown;
        first = 1;
    }
    for (unsigned i = first; i < count; i++)
        keep(h, &looks[i]);
    return OB_OK;
}

/* ---- What a decoder calls ---------------------------------------------------------------------
 */

static ob_status begin(void *context, const media_picture *picture, ob_media_fault *fault)
{
    hashing *h = context;
    ob_status status = finish_frame(h, fault);
    if (status)
        return status;
    media_picture wanted = *picture;
    wanted.shape.variant = h->options->variant;
    wanted.shape.isa = h->options->isa;
    if (!h->has_first) {
        h->result.width = wanted.shape.width;
        h->result.height = wanted.shape.height;
    }
    return media_looks_begin(&h->looks, &wanted, h->facts, fault);
}

static ob_status rows(void *context, const uint8_t *from, size_t stride, size_t count,
                      ob_media_fault *fault)
{
    hashing *h = context;
    return media_looks_rows(h->looks, from, stride, count, fault);
}

static ob_status missing(void *context, const uint8_t *last, const uint8_t *shown, size_t stride,
                         size_t count, ob_media_fault *fault)
{
    hashing *h = context;
    return media_looks_missing(h->looks, last, shown, stride, count, fault);
}

static void take_facts(hashing *h)
{
    const media_facts *f = h->facts;
    h->result.orientation = f->orientation;
    h->result.frames = f->frames;
    h->result.incomplete = f->incomplete;
    h->result.unseen =
        f->unseen == OB_UNSEEN_NOTHING && h->overflowed ? OB_UNSEEN_FRAMES : f->unseen;
}

/* *simply: as options allow it; whether that has left too many bits undecided. */
static ob_status hash_once(ob_media_result *out, bool *simply, media_decode decode,
                           const uint8_t *bytes, size_t size, const ob_media_options *options,
                           ob_media_fault *fault)
{
    /* A reduced picture must keep 512 pixels a side: coarser ones move too many bits. */
    media_wish wish = {.colour = !*simply,
                       .min_side = !*simply || options->variant != OB_PDQ_FULL ? 0 : 512};
    media_facts facts = {.orientation = 1, .frames = 1};
    hashing h = {.options = options, .facts = &facts};
    h.result.format = ob_media_sniff(bytes, size);
    media_sink sink = {
        .begin = begin, .rows = rows, .missing = missing, .context = &h, .facts = &facts};
    ob_status status = decode(&sink, bytes, size, &wish, fault);
    if (!status)
        status = finish_frame(&h, fault);
    media_looks_free(h.looks);
    media_colour_free(facts.colour);
    if (!status && !h.has_first)
        status = media_fail(fault, OB_MEDIA_NO_PICTURE);
    if (status && fault)
        fault->format = h.result.format;
    if (status)
        return status;
    if (fault) /* what was overcome is no fault */
        *fault = (ob_media_fault){0};
    take_facts(&h);
    *simply = facts.simplified && h.undecided;
    *out = h.result;
    return OB_OK;
}

/* Smooth pictures of full colours can have a large quality and yet so little in their coefficients
 * that it matters how a decoder rounds: they are decoded as everybody decodes them. */
ob_status media_hash_with(ob_media_result *out, media_decode decode, const uint8_t *bytes,
                          size_t size, const ob_media_options *options, ob_media_fault *fault)
{
    bool simply = !options->exact;
    ob_status status = hash_once(out, &simply, decode, bytes, size, options, fault);
    if (status || !simply)
        return status;
    simply = false;
    (void)hash_once(out, &simply, decode, bytes, size, options, NULL); /* else the first remains */
    return OB_OK;
}

/* ---- Pictures in memory -----------------------------------------------------------------------
 */

ob_status media_deliver_part(const media_sink *sink, const uint8_t *pixels, size_t stride,
                             uint32_t width, uint32_t height, uint32_t there, media_alpha alpha,
                             uint32_t frame, ob_media_fault *fault)
{
    const media_picture picture = {
        .shape = {.width = width, .height = height, .scale = 1, .samples = OB_PDQ_RGB},
        .alpha = alpha,
        .frame = frame};
    ob_status status = sink->begin(sink->context, &picture, fault);
    if (!status)
        status = sink->rows(sink->context, pixels, stride, there, fault);
    if (!status && there < height)
        status = sink->missing(sink->context, pixels + stride * (there - 1), NULL, 0,
                               height - there, fault);
    return status;
}

ob_status media_deliver(const media_sink *sink, const uint8_t *pixels, size_t stride,
                        uint32_t width, uint32_t height, media_alpha alpha, uint32_t frame,
                        ob_media_fault *fault)
{
    return media_deliver_part(sink, pixels, stride, width, height, height, alpha, frame, fault);
}

/* ---- Formats ------------------------------------------------------------------------------- */

static ob_status refuse(ob_format format, ob_media_fault *fault)
{
    const bool is_others = ob_format_at(format)->program != OB_PROGRAM_NONE;
    ob_status status = media_fail(fault, is_others ? OB_MEDIA_OTHER_DECODER
                                         : format  ? OB_MEDIA_UNSUPPORTED
                                                   : OB_MEDIA_NOT_KNOWN);
    if (fault)
        fault->format = format;
    return status;
}

ob_status ob_media_hash(ob_media_result *out, const uint8_t *bytes, size_t size,
                        const ob_media_options *options, ob_media_fault *fault)
{
    static const media_decode decoders[OB_FORMATS] = {
        [OB_FORMAT_JPEG] = media_decode_jpeg, [OB_FORMAT_PNG] = media_decode_png,
        [OB_FORMAT_WEBP] = media_decode_webp, [OB_FORMAT_GIF] = media_decode_gif,
        [OB_FORMAT_TIFF] = media_decode_tiff, [OB_FORMAT_BMP] = media_decode_bmp,
        [OB_FORMAT_ICO] = media_decode_ico,
    };
    ob_format format = ob_media_sniff(bytes, size);
    if (!decoders[format])
        return refuse(format, fault);
    return media_hash_with(out, decoders[format], bytes, size, options, fault);
}
