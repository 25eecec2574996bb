/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads with a small stack that nobody waits for. */
#include "base/thread.h"

#include <pthread.h>

/* Virtual, and touched as far as it is used. Sanitizers use more than we do. */
enum { STACK_SIZE = 256 * 1024 };

int thread_start(void *(*run)(void *), void *argument)
{
        pthread_attr_t attributes;
        pthread_t thread;

        pthread_attr_init(&attributes);
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        pthread_attr_setstacksize(&attributes, STACK_SIZE);
        int r = pthread_create(&thread, &attributes, run, argument);
        pthread_attr_destroy(&attributes);
        return -r;
}
