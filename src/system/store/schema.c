/* How the tables came to be, as a list of steps: a database knows how many of them it has gone. A
 * step is never changed once it was released. An empty database is made of the kinds (record.h)
 * instead, which comes to the same. */
#include "record.h"

static const char *const steps[] = {
    /* 1: who may ask */
    "CREATE TABLE token (name TEXT PRIMARY KEY, print BLOB NOT NULL UNIQUE, surfaces INTEGER NOT "
    "NULL,"
    " scopes INTEGER NOT NULL, made_at INTEGER NOT NULL) STRICT;"
    "CREATE TABLE gateway (name TEXT PRIMARY KEY, kind TEXT NOT NULL, print BLOB NOT NULL UNIQUE,"
    " surface INTEGER NOT NULL, fail_closed INTEGER NOT NULL, made_at INTEGER NOT NULL) STRICT;",
    /* 2: what the gate reads */
    "CREATE TABLE profile (id INTEGER PRIMARY KEY, service TEXT NOT NULL, kinds INTEGER NOT NULL,"
    " country TEXT NOT NULL, regime TEXT NOT NULL, surfaces INTEGER NOT NULL, bases INTEGER NOT "
    "NULL,"
    " detectors INTEGER NOT NULL, keeps_register INTEGER NOT NULL, changed_at INTEGER NOT NULL) "
    "STRICT;"
    "CREATE TABLE person (name TEXT PRIMARY KEY, print BLOB NOT NULL UNIQUE, roles INTEGER NOT "
    "NULL,"
    " is_external INTEGER NOT NULL, made_at INTEGER NOT NULL, ended_at INTEGER NOT NULL) STRICT;"
    "CREATE TABLE proposal (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, body TEXT NOT NULL,"
    " proposed_by TEXT NOT NULL, proposed_at INTEGER NOT NULL, until INTEGER NOT NULL,"
    " state INTEGER NOT NULL, decided_by TEXT NOT NULL, decided_at INTEGER NOT NULL) STRICT;"
    "CREATE TABLE incoming (kind INTEGER NOT NULL, id INTEGER NOT NULL, conversation BLOB NOT NULL,"
    " reporter BLOB NOT NULL, account BLOB NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL,"
    " confirmed_by TEXT NOT NULL, confirmed_at INTEGER NOT NULL, PRIMARY KEY (kind, id)) STRICT;"
    "CREATE TABLE incoming_item (kind INTEGER NOT NULL, id INTEGER NOT NULL, item BLOB NOT NULL,"
    " PRIMARY KEY (kind, id, item)) STRICT;"
    "CREATE TABLE verdict (id INTEGER PRIMARY KEY, account BLOB NOT NULL, reason TEXT NOT NULL,"
    " proposed_by TEXT NOT NULL, confirmed_by TEXT NOT NULL, at INTEGER NOT NULL,"
    " overturned_at INTEGER NOT NULL, overturned_by TEXT NOT NULL) STRICT;"
    "CREATE TABLE cause (id INTEGER PRIMARY KEY, account BLOB NOT NULL, ground INTEGER NOT NULL,"
    " record INTEGER NOT NULL, record_at INTEGER NOT NULL, reason TEXT NOT NULL,"
    " proposed_by TEXT NOT NULL, confirmed_by TEXT NOT NULL, from_at INTEGER NOT NULL,"
    " until INTEGER NOT NULL, ended_at INTEGER NOT NULL, told_at INTEGER NOT NULL) STRICT;"
    "CREATE INDEX cause_account ON cause (account);"
    "CREATE TABLE court_order (id INTEGER PRIMARY KEY, document BLOB NOT NULL, regime TEXT NOT "
    "NULL,"
    " issuer TEXT NOT NULL, is_judicial INTEGER NOT NULL, is_authentic INTEGER NOT NULL,"
    " names_professional INTEGER NOT NULL, everybody INTEGER NOT NULL, has_detectors INTEGER NOT "
    "NULL,"
    " has_accounts INTEGER NOT NULL, authenticity TEXT NOT NULL, verified_by TEXT NOT NULL,"
    " contact TEXT NOT NULL, service TEXT NOT NULL, detectors INTEGER NOT NULL,"
    " received INTEGER NOT NULL, start INTEGER NOT NULL, end_at INTEGER NOT NULL,"
    " reasons TEXT NOT NULL, legal_basis TEXT NOT NULL, redress TEXT NOT NULL, state INTEGER NOT "
    "NULL,"
    " halfway_at INTEGER NOT NULL, halfway_done_at INTEGER NOT NULL, secret_until INTEGER NOT NULL,"
    " proposed_by TEXT NOT NULL, approved_by TEXT NOT NULL, made_at INTEGER NOT NULL) STRICT;"
    "CREATE TABLE court_order_account (id INTEGER NOT NULL, account BLOB NOT NULL,"
    " PRIMARY KEY (account, id)) STRICT;"
    "CREATE TABLE conversation (id BLOB PRIMARY KEY, members INTEGER NOT NULL,"
    " consenting INTEGER NOT NULL, is_free INTEGER NOT NULL, is_protected INTEGER NOT NULL,"
    " has_child INTEGER NOT NULL, changed_at INTEGER NOT NULL) STRICT;"
    "CREATE TABLE member (conversation BLOB NOT NULL, account BLOB NOT NULL, consents INTEGER NOT "
    "NULL,"
    " PRIMARY KEY (conversation, account)) STRICT;"
    "CREATE INDEX member_account ON member (account);"
    "CREATE TABLE safeguard (regime TEXT NOT NULL, safeguard INTEGER NOT NULL, year INTEGER NOT "
    "NULL,"
    " at INTEGER NOT NULL, person TEXT NOT NULL, document BLOB NOT NULL,"
    " PRIMARY KEY (regime, safeguard)) STRICT;"
    "CREATE TABLE detector (detector TEXT PRIMARY KEY, state INTEGER NOT NULL, person TEXT NOT "
    "NULL,"
    " reason TEXT NOT NULL, at INTEGER NOT NULL) STRICT;"
    "CREATE TABLE tally (day INTEGER NOT NULL, surface INTEGER NOT NULL, basis INTEGER NOT NULL,"
    " reason INTEGER NOT NULL, regime TEXT NOT NULL, count INTEGER NOT NULL,"
    " PRIMARY KEY (day, surface, basis, reason, regime)) STRICT;"
    "CREATE TABLE denied (code BLOB PRIMARY KEY, day INTEGER NOT NULL) STRICT;"
    "CREATE TABLE salt (day INTEGER PRIMARY KEY, salt BLOB NOT NULL) STRICT;"
    "CREATE TABLE mark (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;",
    /* 3: periods, and what the log needs. Numbers are never given twice: the last of each kind is
     * kept now that records go. */
    "CREATE TABLE hold (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, record INTEGER NOT NULL,"
    " law TEXT NOT NULL, reason TEXT NOT NULL, person TEXT NOT NULL, made_at INTEGER NOT NULL,"
    " until INTEGER NOT NULL, ended_at INTEGER NOT NULL, decided_by TEXT NOT NULL,"
    " decided_at INTEGER NOT NULL, decided_why TEXT NOT NULL) STRICT;"
    "CREATE INDEX hold_record ON hold (kind, record);"
    "CREATE TABLE delivery (key BLOB PRIMARY KEY, digest BLOB NOT NULL, id INTEGER NOT NULL,"
    " at INTEGER NOT NULL) STRICT;"
    "CREATE TABLE log_key (subject BLOB PRIMARY KEY, key BLOB NOT NULL, used_at INTEGER NOT NULL)"
    " STRICT;"
    "CREATE TABLE log_second (entry INTEGER PRIMARY KEY, second INTEGER NOT NULL, salt BLOB NOT "
    "NULL,"
    " codes BLOB NOT NULL) STRICT;"
    "ALTER TABLE court_order ADD COLUMN revoked_at INTEGER NOT NULL DEFAULT 0;"
    "INSERT INTO mark (name, value) SELECT 'last.report', max(id) FROM incoming WHERE kind = 0"
    " HAVING max(id) > 0;"
    "INSERT INTO mark (name, value) SELECT 'last.notice', max(id) FROM incoming WHERE kind = 1"
    " HAVING max(id) > 0;"
    "INSERT INTO mark (name, value) SELECT 'last.proposal', max(id) FROM proposal"
    " HAVING max(id) > 0;"
    "INSERT INTO mark (name, value) SELECT 'last.verdict', max(id) FROM verdict HAVING max(id) > 0;"
    "INSERT INTO mark (name, value) SELECT 'last.cause', max(id) FROM cause HAVING max(id) > 0;"
    "INSERT INTO mark (name, value) SELECT 'last.order', max(id) FROM court_order"
    " HAVING max(id) > 0;",
    /* 4: what a second's entry in the log was made of is no longer stored */
    "DROP TABLE log_second;",
    /* 5: what was signed of the log, and which key made pseudonyms */
    "CREATE TABLE binding (name TEXT PRIMARY KEY, entries INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL, is_closed INTEGER NOT NULL,"
    " root BLOB NOT NULL, code BLOB NOT NULL) STRICT;",
    /* 6: what tokens wrote today */
    "CREATE TABLE written (token TEXT PRIMARY KEY,"
    " day INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL) STRICT;",
    /* 7: what gateways answer. What failed open let pass what cannot be decoded, too. */
    "ALTER TABLE gateway ADD COLUMN review_passes INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE gateway ADD COLUMN damaged_passes INTEGER NOT NULL DEFAULT 0;"
    "UPDATE gateway SET damaged_passes = 1 WHERE fail_closed = 0;",
};

enum { STEPS = sizeof steps / sizeof *steps };

int64_t schema_steps(void)
{
    return STEPS;
}

const char *schema_step(int64_t step)
{
    return steps[step - 1];
}

static ob_status refuse_newer(ob_error *err)
{
    return ob_fail(
        err, OB_EREFUSED,
        "the records were made by a newer version of obhut: install that one, or restore "
        "a backup");
}

ob_status schema_is_old(bool *is_old, ob_view *view, ob_error *err)
{
    int64_t version = 0;
    ob_status status = view->store->driver->version(&version, view->db, err);
    if (!status && version > STEPS)
        status = refuse_newer(err);
    if (!status && !version)
        status = ob_fail(err, OB_EFORMAT,
                         "the database has no records: restore records, log and keys from one "
                         "backup");
    if (!status)
        *is_old = version < STEPS;
    return status;
}

ob_status schema_check(ob_view *view, ob_error *err)
{
    int64_t version = 0;
    ob_status status = view->store->driver->version(&version, view->db, err);
    if (!status && version > STEPS)
        status = refuse_newer(err);
    if (!status && version < STEPS)
        status = ob_fail(err, OB_EREFUSED,
                         "the records were exchanged for older ones meanwhile: start Obhut again");
    return status;
}

static ob_status go(ob_writing *w, int64_t step, ob_error *err)
{
    ob_status status = sql_script(w, steps[step], err);
    if (!status)
        status = w->view.store->driver->set_version(w->view.db, step + 1, err);
    return status;
}

static ob_status make_all(ob_writing *w, ob_error *err)
{
    ob_buf text = {0};
    ob_status status = OB_OK;
    for (size_t i = 0; i < record_kind_count && !status; i++)
        status = record_create(&text, record_kinds[i], err);
    if (!status)
        status = sql_script(w, text.bytes, err);
    if (!status)
        status = w->view.store->driver->set_version(w->view.db, STEPS, err);
    ob_buf_free(&text);
    return status;
}

ob_status schema_update(ob_writing *w, int64_t to, ob_error *err)
{
    int64_t version = 0;
    ob_status status = w->view.store->driver->version(&version, w->view.db, err);
    if (!status && version > STEPS)
        status = refuse_newer(err);
    if (!status && !version && to == STEPS)
        return make_all(w, err);
    for (; !status && version < to; version++)
        status = go(w, version, err);
    return status;
}
