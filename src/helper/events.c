/* SPDX-License-Identifier: BSD-2-Clause */
/* The daemon's trace events by name: see events.h. */
#include "helper/events.h"

struct trace_event helper_events[EVENT_COUNT] = {
        [EVENT_LISTEN] = { "helper_listen", false },
        [EVENT_SERVE] = { "helper_serve", false },
        [EVENT_STOP] = { "helper_stop", false },
        [EVENT_ACCEPT_PAUSE] = { "helper_accept_pause", false },
        [EVENT_CLIENT_REFUSED] = { "client_refused", false },
        [EVENT_CLIENT_CONNECT] = { "client_connect", false },
        [EVENT_CLIENT_FEATURES] = { "client_features", false },
        [EVENT_CLIENT_REQUEST] = { "client_request", false },
        [EVENT_CLIENT_DEVICE] = { "client_device", false },
        [EVENT_DEVICE_SUBMIT] = { "device_submit", false },
        [EVENT_DEVICE_COMPLETE] = { "device_complete", false },
        [EVENT_CLIENT_REPLY] = { "client_reply", false },
        [EVENT_CLIENT_CLOSE] = { "client_close", false },
};
