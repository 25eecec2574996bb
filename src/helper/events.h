/* SPDX-License-Identifier: BSD-2-Clause */
/* The daemon's trace events: every step of a client's life and of a request. */
#pragma once

#include "base/trace.h"

enum helper_event {
        EVENT_LISTEN,          /**< a socket is ready for clients */
        EVENT_SERVE,           /**< start-up is complete */
        EVENT_STOP,            /**< a signal ends the daemon */
        EVENT_ACCEPT_PAUSE,    /**< accept(2) failed for want of something; tried again later */
        EVENT_CLIENT_REFUSED,  /**< a connection was turned away */
        EVENT_CLIENT_CONNECT,
        EVENT_CLIENT_FEATURES, /**< the handshake is done */
        EVENT_CLIENT_REQUEST,  /**< a CDB with its descriptor has come */
        EVENT_CLIENT_DEVICE,   /**< what the descriptor is */
        EVENT_DEVICE_SUBMIT,
        EVENT_DEVICE_COMPLETE,
        EVENT_CLIENT_REPLY,    /**< the reply has been written */
        EVENT_CLIENT_CLOSE,
        EVENT_COUNT,
};

extern struct trace_event helper_events[EVENT_COUNT];

#define TRACE(event, ...) trace(&helper_events[event], __VA_ARGS__)
