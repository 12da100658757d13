/* One question or one change of the records at a time, as tests ask and change: each with a view or
 * a writing of its own, or all of those between open_writing and end_writing with that one. */
#ifndef OBHUT_TEST_ONCE_H
#define OBHUT_TEST_ONCE_H

#include <obhut/store.h>

/* The one that this thread has open; NULL: none. */
static _Thread_local ob_writing *once_writing;

/* `view` names the view in `call`; `err`: the same as in `call`. */
#define READS(store, err, call)                                                                    \
    __extension__({                                                                                \
        ob_view *own_ = NULL, *view = once_writing ? ob_writing_view(once_writing) : NULL;         \
        ob_status status_ = view ? OB_OK : ob_view_open(&own_, (store), (err));                    \
        if (!view)                                                                                 \
            view = own_;                                                                           \
        if (!status_)                                                                              \
            status_ = (call);                                                                      \
        ob_view_close(own_);                                                                       \
        status_;                                                                                   \
    })

/* `w` names the writing in `call`; `err`: the same as in `call`. */
#define WRITES(store, err, call)                                                                   \
    __extension__({                                                                                \
        ob_writing *w = once_writing;                                                              \
        ob_status status_ = w ? OB_OK : ob_writing_begin(&w, (store), (err));                      \
        if (!status_)                                                                              \
            status_ = (call);                                                                      \
        if (w && w != once_writing)                                                                \
            status_ = ob_writing_end(w, status_, (err));                                           \
        status_;                                                                                   \
    })

static inline ob_status open_writing(ob_store *store, ob_error *err)
{
    return ob_writing_begin(&once_writing, store, err);
}

static inline ob_status end_writing(ob_status so_far, ob_error *err)
{
    ob_writing *w = once_writing;
    once_writing = NULL;
    return ob_writing_end(w, so_far, err);
}

#endif
