/* Finding a built-in file. */
#include <obhut/pages.h>

#include <string.h>

const ob_page *ob_page_find(ob_listener listener, const char *path)
{
    const ob_page *page;
    for (size_t i = 0; (page = ob_page_at(i)) != NULL; i++)
        if (page->listeners >> listener & 1 && !strcmp(page->path, path))
            return page;
    return NULL;
}

const char *ob_page_path(const char *name)
{
    const ob_page *page;
    for (size_t i = 0; (page = ob_page_at(i)) != NULL; i++)
        if (!strcmp(page->name, name))
            return page->path;
    return "/";
}
