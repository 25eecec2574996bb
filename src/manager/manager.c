/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The abstract pr-manager: its classes, the managers that exist, references
 * and the status callback. See prmanager.h.
 */
#include "manager/manager.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct manager_class *const classes[] = { &manager_class_helper, &manager_class_direct };

/* The managers that have an id. The lock also guards by what all managers are kept. */
static struct {
        pthread_mutex_t lock;
        struct prm_manager *first;
} registry = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void registry_lock(void)
{
        pthread_mutex_lock(&registry.lock);
}

static void registry_unlock(void)
{
        pthread_mutex_unlock(&registry.lock);
}

/*
 * fork() takes the lock, so that a child, which has no thread but the one that forked, finds it free and
 * what it guards whole. At load, before the callers of this library set up the like: so fork() takes
 * their locks before this one, in the order in which their calls do.
 */
__attribute__((constructor)) static void registry_outlast_fork(void)
{
        (void)pthread_atfork(registry_lock, registry_unlock, registry_unlock);
}

static const struct manager_class *class_find(const char *name)
{
        for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
                if (strcmp(classes[i]->name, name) == 0)
                        return classes[i];
        return NULL;
}

static bool letter(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool id_valid(const char *id)
{
        if (!letter(*id))
                return false;
        for (; *id; id++)
                if (!letter(*id) && !(*id >= '0' && *id <= '9') && !strchr("-._", *id))
                        return false;
        return true;
}

/* The link in the registry that points to the manager of this id, or to the NULL at the end. */
static struct prm_manager **registry_link(const char *id)
{
        struct prm_manager **link = &registry.first;

        while (*link && strcmp((*link)->id, id) != 0)
                link = &(*link)->next;
        return link;
}

/* The caller holds the lock. A manager that was dropped may have a successor of the same id. */
static void registry_remove(const struct prm_manager *manager)
{
        if (!manager->id)
                return;
        struct prm_manager **link = registry_link(manager->id);
        if (*link == manager)
                *link = manager->next;
}

static int registry_add(struct prm_manager *manager, struct prm_error *ret_error)
{
        int r = 0;

        if (!manager->id)
                return 0;
        registry_lock();
        struct prm_manager **link = registry_link(manager->id);
        if (*link)
                r = error_set(ret_error, -EEXIST, "there is a pr-manager '%s' already", manager->id);
        else
                *link = manager;
        registry_unlock();
        return r;
}

/* The memory and what all classes have in common. */
static struct prm_manager *manager_alloc(const struct manager_class *class, const char *id)
{
        struct prm_manager *manager = calloc(1, class->size);

        if (!manager)
                return NULL;
        if (id && !(manager->id = strdup(id))) {
                free(manager);
                return NULL;
        }
        manager->class = class;
        manager->references = 1;
        manager->process = getpid();
        pthread_mutex_init(&manager->status_lock, NULL);
        request_queue_init(&manager->queue);
        return manager;
}

/*
 * The threads of the process that this one was forked from are not here, and what they held stays
 * held: their locks are not waited for but made anew. The registry's is in nobody's hand.
 */
void manager_enter(struct prm_manager *manager)
{
        pid_t process = getpid();

        if (manager->process == process)
                return;
        registry_lock();
        if (manager->process != process) {
                pthread_mutex_init(&manager->status_lock, NULL);
                request_queue_init(&manager->queue);
                if (manager->class->begin_anew)
                        manager->class->begin_anew(manager);
                manager->process = process;
        }
        registry_unlock();
}

static void manager_dealloc(struct prm_manager *manager)
{
        request_queue_destroy(&manager->queue);
        pthread_mutex_destroy(&manager->status_lock);
        free(manager->id);
        free(manager);
}

static void manager_free(struct prm_manager *manager)
{
        manager_enter(manager);
        manager->class->destroy(manager);
        manager_dealloc(manager);
}

static int create(const char *class_name, const char *id, const struct properties *properties,
                  struct prm_manager **ret_manager, struct prm_error *ret_error)
{
        const struct manager_class *class = class_find(class_name);

        if (!class)
                return error_set(ret_error, -ENOENT, "no class '%s': there are %s and %s", class_name,
                                 classes[0]->name, classes[1]->name);
        if (id && !id_valid(id))
                return error_set(ret_error, -EINVAL,
                                 "id '%s': it takes a letter, then letters, digits, '-', '.', '_'", id);
        int r = properties_check(properties, class->rules, class->name, ret_error);
        if (r < 0)
                return r;

        struct prm_manager *manager = manager_alloc(class, id);
        if (!manager)
                return error_set(ret_error, -ENOMEM, "out of memory");
        r = class->init(manager, properties, ret_error);
        if (r < 0) {
                manager_dealloc(manager);
                return r;
        }
        r = registry_add(manager, ret_error);
        if (r < 0) {
                manager_free(manager);
                return r;
        }
        *ret_manager = manager;
        return 0;
}

int prm_manager_create(const char *class_name, const char *id, const struct prm_property *properties,
                       size_t count, struct prm_manager **ret_manager, struct prm_error *ret_error)
{
        struct prm_error error;
        const struct properties given = { properties, count };

        return create(class_name, id, &given, ret_manager, ret_error ? ret_error : &error);
}

int prm_manager_from_string(const char *text, struct prm_manager **ret_manager,
                            struct prm_error *ret_error)
{
        struct prm_error error;
        struct specification s;
        int r = specification_parse(text, &s, ret_error ? ret_error : &error);

        if (r < 0)
                return r;
        r = prm_manager_create(s.class_name, s.id, s.list, s.count, ret_manager, ret_error);
        specification_free(&s);
        return r;
}

struct prm_manager *prm_manager_find(const char *id)
{
        registry_lock();
        struct prm_manager *manager = *registry_link(id);
        if (manager)
                manager->references++;
        registry_unlock();
        return manager;
}

struct prm_manager *prm_manager_ref(struct prm_manager *manager)
{
        registry_lock();
        manager->references++;
        registry_unlock();
        return manager;
}

void manager_keep(struct prm_manager *manager)
{
        registry_lock();
        manager->commands++;
        registry_unlock();
}

/* One less of what keeps a manager, which is freed with the last of all. */
static bool manager_drop(struct prm_manager *manager, unsigned *count)
{
        registry_lock();
        (*count)--;
        if (manager->references == 0)
                registry_remove(manager);
        bool unused = manager->references == 0 && manager->commands == 0;
        registry_unlock();
        if (unused)
                manager_free(manager);
        return unused;
}

bool manager_let_go(struct prm_manager *manager)
{
        return manager_drop(manager, &manager->commands);
}

void prm_manager_unref(struct prm_manager *manager)
{
        if (manager)
                (void)manager_drop(manager, &manager->references);
}

const char *prm_manager_id(const struct prm_manager *manager)
{
        return manager->id;
}

const char *prm_manager_class(const struct prm_manager *manager)
{
        return manager->class->name;
}

int prm_manager_connect(struct prm_manager *manager, struct prm_error *ret_error)
{
        struct prm_error error;

        manager_enter(manager);
        return manager->class->connect(manager, ret_error ? ret_error : &error);
}

bool prm_manager_is_connected(struct prm_manager *manager)
{
        manager_enter(manager);
        return manager->class->is_connected(manager);
}

void prm_manager_set_status_callback(struct prm_manager *manager, prm_status_callback callback,
                                     void *opaque)
{
        manager_enter(manager);
        pthread_mutex_lock(&manager->status_lock);
        manager->callback = callback;
        manager->opaque = opaque;
        pthread_mutex_unlock(&manager->status_lock);
}

void manager_status_changed(struct prm_manager *manager, bool connected)
{
        pthread_mutex_lock(&manager->status_lock);
        if (manager->callback)
                manager->callback(manager, connected, manager->opaque);
        pthread_mutex_unlock(&manager->status_lock);
}
