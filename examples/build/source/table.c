#include "words.h"

#include <stdlib.h>
#include <string.h>

int words_add(struct words *words, const char *text, size_t length)
{
    for (size_t n = 0; n < words->length; n++) {
        struct word *word = &words->all[n];
        if (strlen(word->text) == length && memcmp(word->text, text, length) == 0) {
            word->count++;
            return 0;
        }
    }
    if (words->length == words->room) {
        size_t room = words->room ? 2 * words->room : 64;
        struct word *all = realloc(words->all, room * sizeof *all);
        if (!all)
            return -1;
        words->all = all;
        words->room = room;
    }
    char *copy = malloc(length + 1);
    if (!copy)
        return -1;
    memcpy(copy, text, length);
    copy[length] = '\0';
    words->all[words->length++] = (struct word){copy, 1};
    return 0;
}
