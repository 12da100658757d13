/* The Merkle tree: leaf and node hashes, and a frontier from which a tree grows. */
#include "audit_priv.h"

#include <string.h>

/* RFC 9162, 2.1.1: a leaf can never be mistaken for a node. */
enum { LEAF = 0, NODE = 1 };

ob_status tree_leaf(tree_hash *out, ob_sha256_sum *sum, const char *text, size_t size,
                    ob_error *err)
{
    const uint8_t kind = LEAF;
    ob_status status = ob_sha256_add(sum, &kind, 1, err);
    if (!status)
        status = ob_sha256_add(sum, text, size, err);
    return status ? status : ob_sha256_next(out->bytes, sum, err);
}

ob_status tree_node(tree_hash *out, ob_sha256_sum *sum, const tree_hash *left,
                    const tree_hash *right, ob_error *err)
{
    uint8_t bytes[1 + 2 * OB_AUDIT_HASH] = {NODE};
    memcpy(bytes + 1, left->bytes, OB_AUDIT_HASH);
    memcpy(bytes + 1 + OB_AUDIT_HASH, right->bytes, OB_AUDIT_HASH);
    ob_status status = ob_sha256_add(sum, bytes, sizeof bytes, err);
    return status ? status : ob_sha256_next(out->bytes, sum, err);
}

bool tree_same(const tree_hash *a, const tree_hash *b)
{
    return !memcmp(a->bytes, b->bytes, OB_AUDIT_HASH);
}

unsigned tree_roots(uint64_t size)
{
    return (unsigned)__builtin_popcountll(size);
}

ob_status tree_push(tree_frontier *frontier, ob_sha256_sum *sum, const tree_hash *leaf,
                    ob_error *err)
{
    tree_hash joined = *leaf;
    unsigned count = tree_roots(frontier->size);
    ob_status status = OB_OK;
    /* Every set bit at the end is a complete subtree of the size of what is being added. */
    for (uint64_t bits = frontier->size; bits & 1 && !status; bits >>= 1)
        status = tree_node(&joined, sum, &frontier->roots[--count], &joined, err);
    if (status)
        return status;
    frontier->roots[count] = joined;
    frontier->size++;
    return OB_OK;
}

ob_status tree_root(tree_hash *out, const tree_frontier *frontier, ob_sha256_sum *sum,
                    ob_error *err)
{
    unsigned count = tree_roots(frontier->size);
    if (!count)
        return ob_sha256_next(out->bytes, sum, err);
    tree_hash root = frontier->roots[--count];
    ob_status status = OB_OK;
    while (count && !status)
        status = tree_node(&root, sum, &frontier->roots[--count], &root, err);
    if (!status)
        *out = root;
    return status;
}
