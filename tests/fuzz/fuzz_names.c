/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What people and programs write for the library: a manager with its
 * properties, a type, an initiator.
 */
#include "fuzz.h"
#include "prmanager.h"

static void check_transport_id(const char *text)
{
        struct prm_transport_id id, again;
        char formatted[PRM_TRANSPORT_TEXT_SIZE];

        if (prm_transport_id_parse(text, &id) < 0)
                return;
        prm_transport_id_format(&id, formatted, sizeof formatted);
        fuzz_check(strlen(formatted) < sizeof formatted - 1, "no room for '%s'", formatted);
        fuzz_check(prm_transport_id_parse(formatted, &again) == 0 && prm_transport_id_equal(&id, &again),
                   "'%s' became '%s'", text, formatted);
}

static void check_manager(const char *text)
{
        struct prm_manager *manager = NULL, *found;
        struct prm_error error = { "" };

        if (prm_manager_from_string(text, &manager, &error) < 0) {
                fuzz_check(!manager && error.text[0] != '\0' &&
                           memchr(error.text, '\0', sizeof error.text), "no reason");
                return;
        }
        const char *id = prm_manager_id(manager);
        found = id ? prm_manager_find(id) : NULL;
        fuzz_check(!id || found == manager, "'%s' is not found", id);
        fuzz_check(prm_manager_class(manager) != NULL, "no class");
        prm_manager_unref(found);
        prm_manager_unref(manager);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        struct reader r = reader_over(data, size);
        uint8_t what = read_u8(&r);
        enum prm_type type;
        char *text = fuzz_text(&r, r.left);

        if (what % 3 == 0)
                check_transport_id(text);
        else if (what % 3 == 1)
                check_manager(text);
        else if (prm_type_parse(text, &type) == 0)
                fuzz_check(prm_type_name(type) != NULL && type != PRM_NONE, "type %d", type);
        free(text);
        return 0;
}
