/* What can be done with an item, by name. */
#include <obhut/item.h>

#include <string.h>

static const char *const actions[OB_ACTIONS] = {
    "allow", "review", "warn", "blur", "hold", "block", "not_scanned", "undecodable", "could_not"};

const char *ob_action_name(ob_action action)
{
    return action < OB_ACTIONS ? actions[action] : "unknown";
}

bool ob_action_parse(ob_action *out, const char *name)
{
    for (int a = OB_ACTION_ALLOW; a <= OB_ACTION_BLOCK; a++)
        if (!strcmp(actions[a], name)) {
            *out = (ob_action)a;
            return true;
        }
    return false;
}
