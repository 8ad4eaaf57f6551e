#include "words.h"

#include <ctype.h>

int words_read(struct words *words, FILE *file)
{
    char text[256];
    size_t length = 0;
    for (;;) {
        int c = fgetc(file);
        if (c != EOF && isalpha(c) && length < sizeof text) {
            text[length++] = (char)tolower(c);
            continue;
        }
        if (length && words_add(words, text, length))
            return -1;
        length = 0;
        if (c == EOF)
            return ferror(file) ? -1 : 0;
    }
}
