/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines that end between words: see fold.h. */
#include "cli/fold.h"

#include <string.h>

/* How much of `text` the next line takes, without the space behind it. */
static size_t line_length(const char *text, size_t width)
{
        size_t length = strlen(text);

        if (length <= width)
                return length;
        for (size_t end = width; end > 0; end--)
                if (text[end] == ' ')
                        return end;
        return width;
}

void fold(const char *text, size_t width, char *ret_text, size_t size)
{
        size_t used = 0;

        if (width == 0)
                width = 1;
        for (;;) {
                size_t length = line_length(text, width);
                if (length > size - used - 2)
                        length = size - used - 2;
                memcpy(ret_text + used, text, length);
                used += length;
                text += length;
                if (*text == '\0' || size - used < 4)
                        break;
                ret_text[used++] = '\n';
                text += *text == ' ';
        }
        ret_text[used] = '\0';
}
