/* SPDX-License-Identifier: BSD-2-Clause */
/* The abstract pr-manager: classes, properties, ids, references. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>

#include "prmanager.h"
#include "tap.h"

/* What a text is answered with. */
static const struct {
        const char *text;
        int result;
        const char *why; /* NULL: whatever it says */
} texts[] = {
        { "pr-manager-helper,path=/x", 0, NULL },
        { "pr-manager-helper,path=/x,timeout=5", 0, NULL },
        { "pr-manager-helper,path=/x,timeout=0", 0, NULL },
        { "pr-manager-helper,path=,,,,", 0, NULL },
        { "pr-manager-helper,path=a=b", 0, NULL },
        { "pr-manager-direct", 0, NULL },
        { "pr-manager-direct,timeout=1,allow-stacked=on", 0, NULL },
        { "pr-manager-direct,allow-stacked=off", 0, NULL },
        { "pr-manager", -ENOENT, "no class 'pr-manager': there are pr-manager-helper and pr-manager-direct" },
        { "", -ENOENT, "no class '': there are pr-manager-helper and pr-manager-direct" },
        { "pr-manager-helper", -EINVAL, "pr-manager-helper needs the property 'path'" },
        { "pr-manager-helper,id=a", -EINVAL, "pr-manager-helper needs the property 'path'" },
        { "pr-manager-helper,path=", -EINVAL, "property 'path': '' is no path" },
        { "pr-manager-helper,path=,timeout=5", -EINVAL, "property 'path': '' is no path" },
        { "pr-manager-helper,path=@x", 0, NULL },
        { "pr-manager-helper,path=/x,speed=9", -EINVAL, "pr-manager-helper has no property 'speed'" },
        { "pr-manager-direct,path=/x", -EINVAL, "pr-manager-direct has no property 'path'" },
        { "pr-manager-helper,path=/x,path=/y", -EINVAL, "property 'path' is given twice" },
        { "pr-manager-helper,id=a,id=b,path=/x", -EINVAL, "property 'id' is given twice" },
        { "pr-manager-helper,path", -EINVAL, "property 'path' has no value" },
        { "pr-manager-helper,path=/x,", -EINVAL, "a property without a name in ''" },
        { "pr-manager-helper,=x", -EINVAL, "a property without a name in '=x'" },
        { "pr-manager-helper,path=/x,timeout=", -EINVAL, "property 'timeout': '' is no number of seconds" },
        { "pr-manager-helper,path=/x,timeout=-1", -EINVAL, "property 'timeout': '-1' is no number of seconds" },
        { "pr-manager-helper,path=/x,timeout=1s", -EINVAL, "property 'timeout': '1s' is no number of seconds" },
        { "pr-manager-helper,path=/x,timeout=86401", -EINVAL, "property 'timeout': '86401' is above 86400 seconds" },
        { "pr-manager-helper,path=/x,timeout=99999999999", -EINVAL, NULL },
        { "pr-manager-direct,allow-stacked=yes", -EINVAL, "property 'allow-stacked': 'yes' is neither 'on' nor 'off'" },
        { "pr-manager-helper,id=,path=/x", -EINVAL, NULL },
        { "pr-manager-helper,id=0a,path=/x", -EINVAL,
          "id '0a': it takes a letter, then letters, digits, '-', '.', '_'" },
        { "pr-manager-helper,id=a b,path=/x", -EINVAL, NULL },
        { "pr-manager-helper,id=a,,b,path=/x", -EINVAL, NULL },
};

static void test_texts(void)
{
        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
                struct prm_manager *untouched = (void *)&texts, *manager = untouched;
                struct prm_error error = { "" };
                int r = prm_manager_from_string(texts[i].text, &manager, &error);

                is_int(r, texts[i].result, "'%s'", texts[i].text);
                if (texts[i].why)
                        is_string(error.text, texts[i].why, "'%s': why not", texts[i].text);
                if (r == 0)
                        prm_manager_unref(manager);
                else
                        ok(manager == untouched, "'%s': result untouched", texts[i].text);
        }
        struct prm_manager *manager;
        is_int(prm_manager_from_string("no", &manager, NULL), -ENOENT, "nobody has to want the error");
}

/* Commas in a value arrive where they belong: in the path that connecting fails on. */
static void test_escape(void)
{
        struct prm_manager *manager;
        struct prm_error error;

        prm_manager_from_string("pr-manager-helper,path=/no,,such,,,,place,id=e", &manager, &error);
        is_string(prm_manager_id(manager), "e", "the part after the escapes is read");
        is_int(prm_manager_connect(manager, &error), -ENOENT, "nothing there");
        is_string(error.text, "connect to /no,such,,place: No such file or directory", "',,' is ','");
        prm_manager_unref(manager);

        prm_manager_from_string("pr-manager-helper,path=@no/such", &manager, NULL);
        is_int(prm_manager_connect(manager, &error), -ENOENT, "'@' begins a name like any other");
        prm_manager_unref(manager);

        char text[300] = "pr-manager-helper,path=/";
        memset(text + strlen(text), 'x', 120);
        prm_manager_from_string(text, &manager, NULL);
        is_int(prm_manager_connect(manager, NULL), -ENAMETOOLONG, "a path too long for a socket");
        prm_manager_unref(manager);
}

static void test_properties(void)
{
        const struct prm_property properties[] = { { "timeout", "3" }, { "path", "/x" }, { NULL, NULL },
                                                   { "path", NULL } };
        struct prm_manager *manager;
        struct prm_error error;

        is_int(prm_manager_create("pr-manager-helper", NULL, properties, 2, &manager, &error), 0,
               "made of a list");
        ok(!prm_manager_id(manager), "it has no id");
        is_string(prm_manager_class(manager), "pr-manager-helper", "it has a class");
        ok(!prm_manager_is_connected(manager), "it is not connected");
        prm_manager_unref(manager);
        is_int(prm_manager_create("pr-manager-helper", NULL, properties, 3, &manager, &error), -EINVAL,
               "a property without a name");
        is_int(prm_manager_create("pr-manager-helper", NULL, properties + 3, 1, &manager, &error), -EINVAL,
               "a property without a value");
        is_int(prm_manager_create("pr-manager-direct", "d", NULL, 0, &manager, NULL), 0, "no list at all");
        ok(prm_manager_is_connected(manager), "a direct one is always connected");
        is_int(prm_manager_connect(manager, NULL), 0, "and connects to nothing");
        prm_manager_unref(manager);
}

static void test_find(void)
{
        struct prm_manager *a, *b, *again;
        struct prm_error error;

        prm_manager_from_string("pr-manager-helper,id=helper0,path=/x", &a, NULL);
        prm_manager_from_string("pr-manager-direct,id=helper1", &b, NULL);
        is_int(prm_manager_from_string("pr-manager-direct,id=helper0", &again, &error), -EEXIST, "an id twice");
        is_string(error.text, "there is a pr-manager 'helper0' already", "and which");

        struct prm_manager *found = prm_manager_find("helper0");
        ok(found == a, "found by its id");
        ok(!prm_manager_find("helper2"), "not found");
        prm_manager_unref(a);
        is_string(prm_manager_id(found), "helper0", "who found it keeps it");
        prm_manager_unref(found);
        ok(!prm_manager_find("helper0"), "gone with the last reference");
        found = prm_manager_find("helper1");
        ok(found == b, "the other one is there");
        prm_manager_unref(found);
        ok(prm_manager_ref(b) == b, "one more reference");
        prm_manager_unref(b);
        prm_manager_unref(b);
        ok(!prm_manager_find("helper1"), "gone too");
        prm_manager_unref(NULL);
        ok(true, "NULL is nothing to drop");
}

/* Many threads make, find and drop the same few ids. */
static void *churn(void *argument)
{
        for (int i = 0; i < 500; i++) {
                struct prm_manager *manager;
                char text[64];

                snprintf(text, sizeof text, "pr-manager-helper,id=churn%d,path=/x", i % 3);
                if (prm_manager_from_string(text, &manager, NULL) == 0)
                        prm_manager_unref(manager);
                manager = prm_manager_find("churn1");
                if (manager)
                        prm_manager_unref(manager);
        }
        return argument;
}

static void test_threads(void)
{
        pthread_t threads[8];

        for (int i = 0; i < 8; i++)
                pthread_create(&threads[i], NULL, churn, NULL);
        for (int i = 0; i < 8; i++)
                pthread_join(threads[i], NULL);
        ok(!prm_manager_find("churn0") && !prm_manager_find("churn1") && !prm_manager_find("churn2"),
           "8 threads make, find and drop: none is left");
}

int main(void)
{
        test_texts();
        test_escape();
        test_properties();
        test_find();
        test_threads();
        return done();
}
