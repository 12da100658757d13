/* item: what a service says of one item, and what can be done with it. */
#ifndef OBHUT_ITEM_H
#define OBHUT_ITEM_H

#include <obhut/base.h>
#include <obhut/gate.h>
#include <obhut/records/record.h>

/* Never its bytes. Nothing in it is a basis: bases are records. */
typedef struct ob_item {
    ob_media media;
    ob_surface surface;
    ob_encryption encryption;
    ob_locus locus; /* OB_LOCUS_SERVER or OB_LOCUS_DISCLOSED */
    bool is_hash;   /* somebody has computed it */
    bool has_account, has_conversation;
    ob_record_key id, account, conversation; /* pseudonyms */
    int64_t report, notice;                  /* numbers of records; 0: none */
} ob_item;

typedef enum ob_action {
    OB_ACTION_ALLOW,
    OB_ACTION_REVIEW, /* delivered; a person should look */
    OB_ACTION_WARN,
    OB_ACTION_BLUR,
    OB_ACTION_HOLD, /* not delivered before a person has looked */
    OB_ACTION_BLOCK,
    OB_ACTION_NOT_SCANNED, /* nobody looked: there was no basis */
    OB_ACTION_UNDECODABLE, /* nobody could look: because of the bytes */
    OB_ACTION_COULD_NOT,   /* nobody could look now: whatever the bytes are */
    OB_ACTIONS,
} ob_action;

/* "allow", …, "not_scanned", "undecodable", "could_not"; "unknown" for any other number. */
const char *ob_action_name(ob_action action);

/* The first six, that a policy may choose; false where there is none of that name, and *out is
 * untouched. */
bool ob_action_parse(ob_action *out, const char *name);

/* Who hands an item in, as turns go by it and as hits are told: "token NAME", "gateway NAME"; "":
 * nobody in particular. */
enum { OB_CLIENT_TEXT = 80 };

#endif
