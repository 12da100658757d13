/* Roots as their definition says them, and proofs of entries and of growth. */
#include "audit_log.h"

static int start(void **state)
{
    (void)state;
    return ob_crypto_start(NULL);
}

/* ---- Trees and proofs ------------------------------------------------------------------------ */

static void the_published_tree_has_its_published_roots(void **state)
{
    (void)state;
    /* The reference tree of RFC 6962's and RFC 9162's implementations. */
    static const char *const leaves[8] = {"",
                                          "00",
                                          "10",
                                          "2021",
                                          "3031",
                                          "40414243",
                                          "5051525354555657",
                                          "606162636465666768696a6b6c6d6e6f"};
    static const char *const roots[9] = {
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
    ob_sha256_sum *sum = NULL;
    tree_frontier frontier = {0};
    MUST(ob_sha256_begin(&sum, &err_));
    for (size_t i = 0;; i++) {
        tree_hash root, leaf;
        uint8_t text[16];
        char digits[65];
        MUST(tree_root(&root, &frontier, sum, &err_));
        ob_hex(digits, root.bytes, 32);
        assert_string_equal(digits, roots[i]);
        if (i == 8)
            break;
        MUST(ob_hex_parse(text, strlen(leaves[i]) / 2, leaves[i], &err_));
        MUST(tree_leaf(&leaf, sum, (char *)text, strlen(leaves[i]) / 2, &err_));
        MUST(tree_push(&frontier, sum, &leaf, &err_));
    }
    ob_sha256_drop(&sum);
}

enum { SIZES = 70 };

typedef struct grown {
    place place;
    char *checkpoints[SIZES + 1]; /* the last one at each size */
    char *entries[SIZES];
    tree_hash leaves[SIZES];
    char key[OB_AUDIT_KEY + 1];
} grown;

static ob_status keep_text(void *context, uint64_t number, const char *text, size_t size,
                           ob_error *err)
{
    grown *g = context;
    (void)err;
    assert_true(number < SIZES);
    if (!g->entries[number]) {
        g->entries[number] = strndup(text, size);
        g->leaves[number] = naive_leaf(text, size);
    }
    assert_string_equal(g->entries[number], strndupa(text, size));
    return OB_OK;
}

static void check_sizes(const grown *g, ob_audit_tree *tree, uint64_t size)
{
    assert_int_equal(ob_audit_tree_size(tree), size);
    for (uint64_t i = 0; i < size; i++) {
        ob_buf proof = {0};
        ob_audit_proof shown;
        MUST(ob_audit_tree_prove(&proof, tree, i, &err_));
        MUST(ob_audit_check_proof(&shown, proof.bytes, proof.size, g->key, &err_));
        assert_int_equal(shown.kind, OB_AUDIT_INCLUDES);
        assert_int_equal(shown.entry, i);
        assert_int_equal(shown.size, size);
        assert_string_equal(shown.text.bytes, g->entries[i]);
        ob_buf_free(&shown.text);
        ob_buf_free(&proof);
    }
    for (uint64_t m = 0; m <= size; m++) {
        ob_buf proof = {0};
        ob_audit_proof shown;
        MUST(ob_audit_tree_prove_growth(&proof, tree, g->checkpoints[m], &err_));
        MUST(ob_audit_check_proof(&shown, proof.bytes, proof.size, g->key, &err_));
        assert_int_equal(shown.kind, OB_AUDIT_GREW);
        assert_int_equal(shown.old_size, m);
        assert_int_equal(shown.size, size);
        ob_buf_free(&proof);
        if ((m + size) % 10 == 0)
            assert_true(verify_with(g->place.audit, g->key, g->checkpoints[m]).fine);
    }
}

static void check_root(const grown *g, uint64_t size)
{
    tree_hash root = naive_root(g->leaves, size);
    ob_buf text = {0};
    MUST(ob_buf_printf(&text, &err_, "\n%llu\n", (unsigned long long)size));
    MUST(ob_base64(&text, root.bytes, 32, &err_));
    MUST(ob_buf_append(&text, "\n", 1, &err_));
    assert_non_null(strstr(g->checkpoints[size], text.bytes));
    ob_buf_free(&text);
}

static void grow(grown *g)
{
    memset(g, 0, sizeof *g);
    g->place = new_place();
    ob_audit *audit = open_log(g->place.dir);
    bytes key = load(g->place.audit, "key");
    memcpy(g->key, key.text, OB_AUDIT_KEY);
    free(key.text);
    for (uint64_t size = 0;; size++) {
        ob_audit_tree *tree = NULL;
        MUST(ob_audit_sign(audit, &err_));
        g->checkpoints[size] = last_checkpoint(g->place.audit);
        MUST(ob_audit_read(g->place.audit, 0, UINT64_MAX, keep_text, g, &err_));
        check_root(g, size);
        assert_fine(g->place.audit, size, size);
        MUST(ob_audit_tree_open(&tree, g->place.audit, &err_));
        check_sizes(g, tree, size);
        ob_audit_tree_free(tree);
        if (size == SIZES)
            break;
        assert_int_equal(add(audit, "cause.begun", (int)size), size);
        if (size % 9 == 0) { /* in another process, as it were */
            MUST(ob_audit_close(audit, &err_));
            audit = open_log(g->place.dir);
            assert_int_equal(ob_audit_size(audit), size + 1);
        }
    }
    MUST(ob_audit_close(audit, &err_));
}

static void ungrow(grown *g)
{
    for (int i = 0; i <= SIZES; i++)
        free(g->checkpoints[i]);
    for (int i = 0; i < SIZES; i++)
        free(g->entries[i]);
    remove_all(g->place.dir);
}

static void refuse_all_flips(const grown *g, ob_buf *proof)
{
    for (size_t i = 0; i < proof->size; i++)
        for (int bit = 0; bit < 8; bit++) {
            ob_audit_proof shown;
            proof->bytes[i] ^= (char)(1 << bit);
            if (!ob_audit_check_proof(&shown, proof->bytes, proof->size, g->key, NULL))
                fail_msg("a proof with byte %zu changed holds", i);
            proof->bytes[i] ^= (char)(1 << bit);
        }
    for (size_t size = 0; size < proof->size; size++) {
        ob_audit_proof shown;
        assert_int_not_equal(ob_audit_check_proof(&shown, proof->bytes, size, g->key, NULL), OB_OK);
    }
}

static void changed_proofs_do_not_hold(const grown *g)
{
    ob_buf proof = {0};
    ob_audit_proof shown;
    MUST(ob_audit_prove(&proof, g->place.audit, 37, &err_));
    refuse_all_flips(g, &proof);
    /* Additional signatures, of witnesses, do no harm. */
    MUST(ob_buf_printf(&proof, &err_, "\xE2\x80\x94 witness.example MzMzMzMz\n"));
    MUST(ob_audit_check_proof(&shown, proof.bytes, proof.size, g->key, &err_));
    ob_buf_free(&shown.text);
    proof.size = 0;
    MUST(ob_audit_prove_growth(&proof, g->place.audit, g->checkpoints[21], &err_));
    refuse_all_flips(g, &proof);
    ob_buf_free(&proof);
}

static void at_every_size_the_root_is_that_of_the_definition_and_all_proofs_hold(void **state)
{
    (void)state;
    grown g;
    grow(&g);
    changed_proofs_do_not_hold(&g);
    ob_buf proof = {0};
    assert_int_equal(ob_audit_prove(&proof, g.place.audit, SIZES, NULL), OB_ENOTFOUND);
    assert_int_equal(proof.size, 0);
    ungrow(&g);
}

static void a_proof_of_another_log_does_not_hold(void **state)
{
    (void)state;
    place here = new_place(), there = new_place();
    ob_audit *a = open_log(here.dir), *b = open_log(there.dir);
    ob_buf proof = {0};
    ob_audit_proof shown;
    add(a, "order.entered", 1);
    add(b, "order.entered", 1);
    MUST(ob_audit_close(a, &err_));
    MUST(ob_audit_close(b, &err_));
    bytes key = load(there.audit, "key");
    char *checkpoint = last_checkpoint(there.audit);
    MUST(ob_audit_prove(&proof, here.audit, 0, &err_));
    assert_int_not_equal(ob_audit_check_proof(&shown, proof.bytes, proof.size, key.text, NULL),
                         OB_OK);
    assert_int_not_equal(ob_audit_prove_growth(&proof, here.audit, checkpoint, NULL), OB_OK);
    assert_int_equal(ob_audit_check_proof(&shown, proof.bytes, proof.size, "no key", NULL),
                     OB_EINVAL);
    assert_string_equal(verify_with(here.audit, key.text, NULL).file, "key");
    assert_string_equal(verify_with(here.audit, NULL, checkpoint).file, "since");
    free(checkpoint);
    free(key.text);
    ob_buf_free(&proof);
    remove_all(here.dir);
    remove_all(there.dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_tree_has_its_published_roots),
        cmocka_unit_test(at_every_size_the_root_is_that_of_the_definition_and_all_proofs_hold),
        cmocka_unit_test(a_proof_of_another_log_does_not_hold),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
