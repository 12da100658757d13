/* Proposals as records: columns, retention, queries. */
#include "../record.h"
#include "words.h"

#include <obhut/records/proposal.h>

#include <stdio.h>
#include <string.h>

static const record_column columns[] = {
    {COLUMN(ob_proposal, id, "naming it"), .key = 1},
    {COLUMN(ob_proposal, kind, "what for")},
    {COLUMN(ob_proposal, body, "what is to happen")},
    {COLUMN(ob_proposal, proposed_by, "another must agree")},
    {COLUMN(ob_proposal, proposed_at, "showing it")},
    {COLUMN(ob_proposal, until, "it runs out")},
    {COLUMN(ob_proposal, state, "whether it is open")},
    {COLUMN(ob_proposal, decided_by, "showing it")},
    {COLUMN(ob_proposal, decided_at, "showing it")},
};

const record_kind kind_proposal = {
    .about = {.table = "proposal",
              .title = "proposals",
              .purpose = "steps that need two persons",
              .period = "3 months after they were decided or ran out",
              .persons = "accounts by pseudonym; " STAFF},
    COLUMNS(columns),
    .size = sizeof(ob_proposal),
    .retention = {{.word = "proposal",
                   .months = 3,
                   .since = "CASE WHEN state = 0 THEN until ELSE decided_at END",
                   .by = "id"}},
};

ob_status ob_store_proposal_add(int64_t *id, ob_writing *w, const ob_proposal *proposal,
                                ob_error *err)
{
    ob_proposal added = *proposal;
    added.state = OB_PROPOSAL_OPEN;
    *added.decided_by = '\0';
    added.decided_at = 0;
    ob_status status = record_add_next(w, &kind_proposal, "proposal", &added.id, &added, err);
    if (!status)
        *id = added.id;
    return status;
}

ob_status ob_store_proposal(ob_proposal *out, ob_view *view, int64_t id, ob_error *err)
{
    return record_get(out, view, &kind_proposal, "proposal", id, err);
}

ob_status ob_store_proposal_decide(ob_writing *w, int64_t id, ob_proposal_state state,
                                   const char *by, int64_t at, ob_error *err)
{
    sql q;
    char closed[64];
    snprintf(closed, sizeof closed, "proposal %lld is not open", (long long)id);
    sql_begin(&q, &w->view,
              "UPDATE proposal SET state = ?, decided_by = ?, decided_at = ?"
              " WHERE id = ? AND state = 0",
              err);
    sql_bind_int(&q, 1, state);
    sql_bind_text(&q, 2, by);
    sql_bind_int(&q, 3, at);
    sql_bind_int(&q, 4, id);
    return store_end_or(&q, OB_EREFUSED, closed);
}

ob_status ob_store_proposal_adopt(ob_writing *w, int64_t id, const char *by, ob_error *err)
{
    sql q;
    sql_begin(&q, &w->view, "UPDATE proposal SET proposed_by = ? WHERE id = ? AND state = 0", err);
    sql_bind_text(&q, 1, by);
    sql_bind_int(&q, 2, id);
    return store_end_change(&q, "there is no such open proposal");
}

ob_status ob_store_proposal_reword(ob_writing *w, int64_t id, const char *body, ob_error *err)
{
    sql q;
    if (strlen(body) >= sizeof((ob_proposal *)NULL)->body)
        return ob_fail(err, OB_ELIMIT, "too much for one proposal: %zu bytes", strlen(body));
    sql_begin(&q, &w->view, "UPDATE proposal SET body = ? WHERE id = ? AND state = 0", err);
    sql_bind_text(&q, 1, body);
    sql_bind_int(&q, 2, id);
    return store_end_change(&q, "there is no such open proposal");
}

ob_status ob_store_proposals(ob_proposal **out, size_t *count, ob_view *view, size_t most,
                             ob_error *err)
{
    sql q;
    record_select(&q, view, &kind_proposal,
                  "ORDER BY CASE state WHEN 0 THEN 0 ELSE 1 END, id DESC LIMIT ?", err);
    sql_bind_int(&q, 1, (int64_t)most);
    return record_read_all(out, count, &q);
}
